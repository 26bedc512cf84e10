public import ItoComponents
public import ItoTensors

/// Away from the unconditional estimate: `u + scale·(c − u)`.
///
/// Scale 1 is no guidance and costs one evaluation instead of two. The estimates of the clean sample
/// are combined, which for one sample is the same as combining predictions of the noise.
/// - Source: Ho & Salimans 2022, *Classifier-Free Diffusion Guidance*, arXiv:2207.12598, equation 6,
///   with scale = 1 + w.
public struct ClassifierFreeGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg"
  /// What other tools call it.
  public static let aliases = ["classifier-free", "classifier-free-guidance"]
  /// One line for tables.
  public static let summary = "away from the unconditional estimate"

  /// 1 for none, 0 for the unconditional estimate.
  public var scale: Double

  /// Guidance by `scale`.
  public init(scale: Double) { self.scale = scale }

  /// Takes the option `scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 7.5)
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    scale == 1 ? [.conditional] : [.conditional, .unconditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    return Tensor.linearCombination([(scale, estimates[0]), (1 - scale, estimates[1])])
  }
}
