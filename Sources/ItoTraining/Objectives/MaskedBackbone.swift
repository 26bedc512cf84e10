public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// A transformer with the stand-ins for hidden tokens that it is trained with; see `TokenMasking`.
///
/// Without a masking context it is the network itself. Its parameters are the network's under the same
/// names, and `mask_tokens`.
public struct MaskedBackbone<B: Backbone>: Backbone {
  /// The network.
  public var backbone: B
  /// What stands in for a token at each position, `[1, tokens, features]`.
  public var standIns: Tensor
  /// Side of the square of the input that is one token.
  public let patch: Int

  /// `backbone` with stand-ins of its tokens' shape.
  public init(
    _ backbone: B, patch: Int, tokens: Int, features: Int, _ initial: inout ParameterInitializer
  ) {
    self.backbone = backbone
    self.patch = patch
    standIns = initial.normal([1, tokens, features], deviation: 0.02)
  }

  /// The network's output.
  public func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor { backbone(x, time: time, conditioning: conditioning, context: context) }

  /// Visits the network's parameters as its own, then the stand-ins.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try backbone.visit(&v)
    try v.parameter("mask_tokens", &standIns)
  }
}

extension PreconditionedDenoiser {
  /// The denoiser with another network.
  public func replacingBackbone<C: Backbone>(_ network: C) -> PreconditionedDenoiser<C> {
    PreconditionedDenoiser<C>(
      network, schedule: schedule, parameterization: parameterization, computeType: computeType)
  }
}
