public import ItoTensors

/// A matrix with an adapter's change beside it; neither is copied or altered.
///
/// With strength λ: `y = x·Wᵀ + λ·x·ΔWᵀ`. With a decomposition, `y = (1−λ)·x·Wᵀ + λ·x·W'ᵀ`. Adapters
/// nest: the base may itself be adapted or quantized.
public struct AdaptedWeight: WeightMatrix {
  /// What is adapted.
  public var base: any WeightMatrix
  /// The change; nil when only the bias changes.
  public var delta: (any WeightDelta)?
  /// Added to the bias, `[out]`.
  public var biasDelta: Tensor?
  /// Factors of rows or columns.
  public var decomposition: WeightDecomposition?
  /// How much of the change counts; 0 leaves it out.
  public var strength: Double

  /// `base` with `delta`.
  public init(
    _ base: any WeightMatrix, delta: (any WeightDelta)?, biasDelta: Tensor? = nil,
    decomposition: WeightDecomposition? = nil, strength: Double
  ) {
    self.base = base
    self.delta = delta
    self.biasDelta = biasDelta
    self.decomposition = decomposition
    self.strength = strength
  }

  /// Rows.
  public var outFeatures: Int { base.outFeatures }
  /// Columns.
  public var inFeatures: Int { base.inFeatures }

  /// The product with the adapted matrix.
  public func apply(to x: Tensor, bias: Tensor?) -> Tensor {
    if strength == 0 { return base.apply(to: x, bias: bias) }
    return adapted(x, bias, { base.apply(to: $0, bias: $1) }, { $0.apply(to: $1) })
  }

  /// The product of each row: that with the base as its form has it, the change one row after the other.
  public func apply(toEachRowOf x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    if strength == 0 { return base.apply(toEachRowOf: x, bias: bias, then: epilogue) }
    let product = adapted(
      x, bias, { base.apply(toEachRowOf: $0, bias: $1, then: Epilogue()) },
      { delta, x in
        let rows = (0..<x.shape[0]).map { delta.apply(to: x.sliced($0..<$0 + 1, axis: 0)) }
        return Tensor.concatenated(rows, axis: 0)
      })
    return epilogue.applied(to: product)
  }

  /// The adapted product, of the base's products and the change's.
  private func adapted(
    _ x: Tensor, _ bias: Tensor?, _ product: (Tensor, Tensor?) -> Tensor,
    _ change: (any WeightDelta, Tensor) -> Tensor
  ) -> Tensor {
    let bias = changed(bias, by: biasDelta, strength)
    guard let delta else { return product(x, bias) }
    guard let decomposition else {
      let plain = product(x, bias)
      return plain + (strength * change(delta, x)).cast(to: plain.dtype)
    }
    let plain = product(x, nil)
    let factors = decomposition.factors.cast(to: plain.dtype)
    let changed: Tensor
    if decomposition.isAlongInput {
      let scaled = x * factors
      changed = product(scaled, nil) + change(delta, scaled).cast(to: plain.dtype)
    } else {
      changed = (plain + change(delta, x).cast(to: plain.dtype)) * factors
    }
    let result = (1 - strength) * plain + strength * changed
    return bias.map { result + $0.cast(to: result.dtype) } ?? result
  }

  /// The adapted matrix.
  public func dense() -> Tensor {
    blended(base.dense(), delta?.dense(), decomposition, strength)
  }

  /// Visits the base under its own name, and the change below it.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&base)
    try v.scope("delta") { (v) throws(V.Failure) in
      try delta?.visit(&v)
      try v.parameter("bias", &biasDelta)
    }
  }
}

/// A kernel with an adapter's change beside it; see `AdaptedWeight`.
public struct AdaptedKernel: ConvolutionWeight {
  /// What is adapted.
  public var base: any ConvolutionWeight
  /// The change; nil when only the bias changes.
  public var delta: (any KernelDelta)?
  /// Added to the bias, `[out]`.
  public var biasDelta: Tensor?
  /// Factors of outputs or inputs.
  public var decomposition: WeightDecomposition?
  /// How much of the change counts; 0 leaves it out.
  public var strength: Double

  /// `base` with `delta`.
  public init(
    _ base: any ConvolutionWeight, delta: (any KernelDelta)?, biasDelta: Tensor? = nil,
    decomposition: WeightDecomposition? = nil, strength: Double
  ) {
    self.base = base
    self.delta = delta
    self.biasDelta = biasDelta
    self.decomposition = decomposition
    self.strength = strength
  }

  /// Its shape.
  public var shape: Shape { base.shape }

  /// That of the unchanged kernel when nothing of the change counts; otherwise nil.
  public func apply(toPixels x: JoinedChannels, bias: Tensor?) -> Tensor? {
    strength == 0 ? base.apply(toPixels: x, bias: bias) : nil
  }

  /// The convolution with the adapted kernel.
  public func apply(to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions) -> Tensor {
    if strength == 0 { return base.apply(to: x, bias: bias, options) }
    let bias = changed(bias, by: biasDelta, strength)
    guard let delta else { return base.apply(to: x, bias: bias, options) }
    guard let decomposition else {
      let plain = base.apply(to: x, bias: bias, options)
      return plain + (strength * delta.apply(to: x, options)).cast(to: plain.dtype)
    }
    let plain = base.apply(to: x, bias: nil, options)
    let factors = decomposition.factors.cast(to: plain.dtype)
    let changed: Tensor
    if decomposition.isAlongInput {
      let scaled = x * factors
      changed =
        base.apply(to: scaled, bias: nil, options)
        + delta.apply(to: scaled, options).cast(to: plain.dtype)
    } else {
      changed = (plain + delta.apply(to: x, options).cast(to: plain.dtype)) * factors
    }
    let result = (1 - strength) * plain + strength * changed
    return bias.map { result + $0.cast(to: result.dtype) } ?? result
  }

  /// The adapted kernel.
  public func dense() -> Tensor {
    blended(base.dense(), delta?.dense(), decomposition, strength)
  }

  /// Visits the base under its own name, and the change below it.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&base)
    try v.scope("delta") { (v) throws(V.Failure) in
      try delta?.visit(&v)
      try v.parameter("bias", &biasDelta)
    }
  }
}

/// `bias + strength·delta`, of which either may be absent.
private func changed(_ bias: Tensor?, by delta: Tensor?, _ strength: Double) -> Tensor? {
  guard let delta else { return bias }
  let change = strength * delta
  return bias.map { $0 + change.cast(to: $0.dtype) } ?? change
}

/// The dense form of an adapted weight.
private func blended(
  _ base: Tensor, _ delta: Tensor?, _ decomposition: WeightDecomposition?, _ strength: Double
) -> Tensor {
  guard let delta else { return base }
  guard let decomposition else { return base + strength * delta }
  return (1 - strength) * base + strength * decomposition.scaling(base + delta)
}
