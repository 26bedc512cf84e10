public import ItoTensors

/// `y = x·Wᵀ + b` on the last axis.
public struct Linear: Module {
  /// `[out, in]`, in whatever form.
  public var weight: any WeightMatrix
  /// `[out]`
  public var bias: Tensor?

  /// A layer with the given weight.
  public init(weight: any WeightMatrix, bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }

  /// Weights and bias uniform in ±1/√in, the initial values PyTorch gives; zeros on request.
  public init(
    _ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, zeros: Bool = false,
    _ initial: inout ParameterInitializer
  ) {
    let bound = zeros ? 0 : 1 / Double(max(1, inFeatures)).squareRoot()
    weight = DenseWeight(initial.uniform([outFeatures, inFeatures], bound: bound))
    self.bias = bias ? initial.uniform([outFeatures], bound: bound) : nil
  }

  /// `[…, in]` to `[…, out]`: `activation(x·Wᵀ + b + residual)`, in one pass where the weight's form allows it.
  public func callAsFunction(
    _ x: Tensor, adding residual: Tensor? = nil, activation: Activation? = nil
  ) -> Tensor {
    weight.apply(to: x, bias: bias, then: Epilogue(adding: residual, activation: activation))
  }

  /// The same of `[rows, in]`, in which no row's bits depend on the other rows: for what is computed for several levels of
  /// a run at once. Where gradients are recorded it is the ordinary product.
  public func callAsFunction(
    rows x: Tensor, adding residual: Tensor? = nil, activation: Activation? = nil
  ) -> Tensor {
    let epilogue = Epilogue(adding: residual, activation: activation)
    return weight.apply(toEachRowOf: x, bias: bias, then: epilogue)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&weight)
    try v.parameter("bias", &bias)
  }
}
