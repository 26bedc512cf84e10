public import ItoComponents
public import ItoTensors

/// Classifier-free guidance whose result is given back the contrast of the conditional estimate, which
/// strong guidance exaggerates.
///
/// `g = u + scale·(c − u)`, `r = g·std(c)/std(g)`, result `φ·r + (1 − φ)·g`, the deviations taken over
/// each sample.
/// - Source: Lin et al. 2024, *Common Diffusion Noise Schedules and Sample Steps are Flawed*,
///   arXiv:2305.08891, equations 14 to 16. The clean estimate is rescaled unless told otherwise, so that
///   all predictions are treated alike; diffusers rescales what the network predicts.
public struct RescaledGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg-rescale"
  /// What other tools call it.
  public static let aliases = ["rescale", "rescale-cfg", "guidance-rescale"]
  /// One line for tables.
  public static let summary = "classifier-free guidance, the contrast kept"

  /// What is rescaled.
  public enum Quantity: String, Sendable, Hashable, CaseIterable {
    /// The clean estimate.
    case clean
    /// The noise, `(x − alpha·clean) / sigma`, as for networks that predict it.
    case noise
    /// The velocity, `(alpha·x − clean) / sigma` where `alpha² + sigma² = 1`.
    case velocity
  }

  /// 1 for no guidance.
  public var scale: Double
  /// φ: 0 is plain guidance, 1 rescales fully.
  public var rescale: Double
  /// What is rescaled.
  public var quantity: Quantity

  /// Guidance by `scale`, rescaled by the share the paper found best unless told otherwise.
  public init(scale: Double, rescale: Double = 0.7, of quantity: Quantity = .clean) {
    self.scale = scale
    self.rescale = rescale
    self.quantity = quantity
  }

  /// Takes the options `scale`, `rescale`, `of`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 7.5)
    rescale = try options.double("rescale", default: 0.7, in: 0...1)
    quantity = try options.choice("of", default: .clean)
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
    // Noise and velocity are multiples of signal·x − estimate: the noise with signal 1/alpha, the velocity
    // with alpha.
    let signal =
      switch quantity {
      case .clean: 0.0
      case .noise: 1 / step.level.alpha
      case .velocity: step.level.alpha
      }
    guard signal.isFinite else { return plain }
    func deviations(_ estimate: Tensor) -> [Double] {
      signal == 0
        ? estimate.sampleDeviations()
        : Tensor.linearCombination([(signal, x), (-1, estimate)]).sampleDeviations()
    }
    let factors = Swift.zip(deviations(estimates[0]), deviations(plain)).map {
      $1 > 0 ? rescale * $0 / $1 + 1 - rescale : 1
    }
    return signal == 0
      ? Tensor.linearCombination(perSample: [(factors, plain)])
      : Tensor.linearCombination(perSample: [
        (factors, plain), (factors.map { signal * (1 - $0) }, x),
      ])
  }
}
