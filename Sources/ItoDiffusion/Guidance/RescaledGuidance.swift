public import ItoComponents
public import ItoTensors

/// Classifier-free guidance whose result is given back the contrast of the conditional estimate, which
/// strong guidance exaggerates.
///
/// `g = u + scale·(c − u)`, `r = g·std(c)/std(g)`, result `φ·r + (1 − φ)·g`, the deviations taken over
/// each sample.
/// - Source: Lin et al. 2024, *Common Diffusion Noise Schedules and Sample Steps are Flawed*,
///   arXiv:2305.08891, equations 14 to 16. Differs from diffusers in that the clean estimate is rescaled
///   and not what the network predicts, so that all predictions are treated alike.
public struct RescaledGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg-rescale"
  /// What other tools call it.
  public static let aliases = ["rescale", "rescale-cfg", "guidance-rescale"]
  /// One line for tables.
  public static let summary = "classifier-free guidance, the contrast kept"

  /// 1 for no guidance.
  public var scale: Double
  /// φ: 0 is plain guidance, 1 rescales fully.
  public var rescale: Double

  /// Guidance by `scale`, rescaled by the share the paper found best unless told otherwise.
  public init(scale: Double, rescale: Double = 0.7) {
    self.scale = scale
    self.rescale = rescale
  }

  /// Takes the options `scale`, `rescale`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 7.5)
    rescale = try options.double("rescale", default: 0.7, in: 0...1)
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
    let plain = Tensor.linearCombination([(scale, estimates[0]), (1 - scale, estimates[1])])
    guard rescale > 0 else { return plain }
    let factors = Swift.zip(estimates[0].sampleDeviations(), plain.sampleDeviations()).map {
      $1 > 0 ? rescale * $0 / $1 + 1 - rescale : 1
    }
    return Tensor.linearCombination(perSample: [(factors, plain)])
  }
}
