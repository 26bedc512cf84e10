public import ItoTensors

/// Normalisation over groups of channels of `[batch, …, channels]`, with a scale and shift for each
/// channel.
///
/// - Source: Wu & He 2018, *Group Normalization*, arXiv:1803.08494.
public struct GroupNorm: Module {
  /// `[channels]`
  public var weight: Tensor, bias: Tensor
  /// Number of groups; divides the channels.
  public var groups: Int
  /// Added to the variance.
  public var epsilon: Double

  /// Scale 1, shift 0.
  public init(
    groups: Int, channels: Int, epsilon: Double = 1e-5, _ initial: inout ParameterInitializer
  ) {
    weight = initial.constant([channels], 1)
    bias = initial.constant([channels], 0)
    self.groups = groups
    self.epsilon = epsilon
  }

  /// Same shape; `offset` `[batch, channels]` is added before and `activation` applied after, in the
  /// same pass.
  public func callAsFunction(
    _ x: Tensor, adding offset: Tensor? = nil, activation: Activation? = nil
  ) -> Tensor {
    x.groupNorm(
      groups: groups, weight: weight, bias: bias, offset: offset, epsilon: epsilon,
      activation: activation)
  }

  /// The same, of a map that is not needed any more: written in its place where nothing else holds it.
  public func callAsFunction(
    inPlace x: inout Tensor, adding offset: Tensor? = nil, activation: Activation? = nil
  ) {
    x.formGroupNorm(
      groups: groups, weight: weight, bias: bias, offset: offset, epsilon: epsilon,
      activation: activation)
  }

  /// The same, of a part of a map by the moments of all of it, written in its place.
  public func callAsFunction(
    inPlace x: inout Tensor, by moments: GroupMoments, activation: Activation? = nil
  ) {
    x.formGroupNorm(
      by: moments, weight: weight, bias: bias, epsilon: epsilon, activation: activation)
  }

  /// The same of maps side by side, read where they lie: the bits of the norm of their concatenation.
  public func callAsFunction(_ x: JoinedChannels, activation: Activation? = nil) -> Tensor {
    x.groupNorm(
      groups: groups, weight: weight, bias: bias, epsilon: epsilon, activation: activation)
  }

  /// `norm(x) · (1 + scale) + shift` of each sample, then `activation`: one pass over x.
  ///
  /// - Parameters:
  ///   - scale: `[batch, channels]`.
  ///   - shift: `[batch, channels]`.
  public func modulated(
    _ x: Tensor, scale: Tensor, shift: Tensor, activation: Activation? = nil
  ) -> Tensor {
    let factor = scale.cast(to: .float32) + 1
    return x.groupNorm(
      groups: groups, weight: factor * weight, bias: factor * bias + shift, epsilon: epsilon,
      activation: activation)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &weight)
    try v.parameter("bias", &bias)
  }
}

/// Normalisation over the last axis.
///
/// - Source: Ba et al. 2016, *Layer Normalization*, arXiv:1607.06450.
public struct LayerNorm: Module {
  /// `[features]`
  public var weight: Tensor?, bias: Tensor?
  /// Added to the variance.
  public var epsilon: Double

  /// Scale 1 and shift 0, or neither.
  public init(
    _ features: Int, epsilon: Double = 1e-5, affine: Bool = true,
    _ initial: inout ParameterInitializer
  ) {
    weight = affine ? initial.constant([features], 1) : nil
    bias = affine ? initial.constant([features], 0) : nil
    self.epsilon = epsilon
  }

  /// Same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNorm(weight: weight, bias: bias, epsilon: epsilon)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &weight)
    try v.parameter("bias", &bias)
  }
}

/// Division by the root mean square of the last axis.
///
/// - Source: Zhang & Sennrich 2019, *Root Mean Square Layer Normalization*, arXiv:1910.07467.
public struct RMSNorm: Module {
  /// `[features]`
  public var weight: Tensor?
  /// Added to the mean square.
  public var epsilon: Double

  /// Scale 1, or none.
  public init(
    _ features: Int, epsilon: Double = 1e-6, affine: Bool = true,
    _ initial: inout ParameterInitializer
  ) {
    weight = affine ? initial.constant([features], 1) : nil
    self.epsilon = epsilon
  }

  /// Same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { x.rmsNorm(weight: weight, epsilon: epsilon) }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &weight)
  }
}
