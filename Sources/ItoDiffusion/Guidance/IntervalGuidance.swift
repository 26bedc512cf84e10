public import ItoComponents
public import ItoTensors

/// Classifier-free guidance in the middle of the run only: elsewhere one evaluation instead of two,
/// and often a better picture.
///
/// The interval is one of `sigma / alpha` or one of the share of the run that lies behind; with both,
/// guidance acts where both hold.
/// - Source: Kynkäänniemi et al. 2024, *Applying Guidance in a Limited Interval Improves Sample and
///   Distribution Quality in Diffusion Models*, arXiv:2404.07724.
public struct IntervalGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg-interval"
  /// What other tools call it.
  public static let aliases = ["interval", "limited-interval", "classifier-free-interval"]
  /// One line for tables.
  public static let summary = "classifier-free guidance on an interval of the run"

  /// The guidance inside the interval.
  public var inner: ClassifierFreeGuidance
  /// Least and greatest `sigma / alpha`, both included.
  public var sigma: ClosedRange<Double>
  /// Steps whose `StepInfo.progress` lies in this range, both included.
  public var progress: ClosedRange<Double>

  /// Guidance by `scale` where both ranges hold; a range left out always holds.
  public init(
    scale: Double, sigma: ClosedRange<Double> = 0...Double.infinity,
    progress: ClosedRange<Double> = 0...1
  ) {
    inner = ClassifierFreeGuidance(scale: scale)
    self.sigma = sigma
    self.progress = progress
  }

  /// Takes the options `scale`, `sigma-min`, `sigma-max`, `start`, `end`.
  public init(options: inout OptionReader) throws(OptionError) {
    let scale = try options.double("scale", default: 7.5)
    let low = try options.double("sigma-min", default: 0, in: 0...1e9)
    let high = try options.double("sigma-max", in: 0...1e9) ?? .infinity
    let start = try options.double("start", default: 0, in: 0...1)
    let end = try options.double("end", default: 1, in: 0...1)
    guard low <= high else {
      throw .invalidValue(key: "sigma-min", value: "\(low)", allowed: "at most sigma-max, \(high)")
    }
    guard start <= end else {
      throw .invalidValue(key: "start", value: "\(start)", allowed: "at most end, \(end)")
    }
    self.init(scale: scale, sigma: low...high, progress: start...end)
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    sigma.contains(step.level.noiseToSignal) && progress.contains(step.progress)
      ? inner.passes(at: step, memory: &memory) : [.conditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor { inner.combine(estimates, of: x, at: step, memory: &memory) }
}
