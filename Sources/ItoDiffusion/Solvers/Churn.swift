import ItoComponents
import ItoTensors

/// Raises the noise of a sample a little before a step, which lets later steps correct earlier errors.
///
/// With s = sigma/alpha, `γ = min(amount/steps, √2 − 1)` where `minimum ≤ s ≤ maximum`, else 0, the
/// sample is brought to `s·(1 + γ)` by adding noise of deviation `noiseScale·√(ŝ² − s²)`.
/// - Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2.
public struct Churn: Sendable, Hashable {
  /// S_churn; 0 adds no noise.
  public var amount: Double
  /// S_tmin.
  public var minimum: Double
  /// S_tmax.
  public var maximum: Double
  /// S_noise.
  public var noiseScale: Double

  /// No noise unless told otherwise.
  public init(
    amount: Double = 0, minimum: Double = 0, maximum: Double = .infinity, noiseScale: Double = 1
  ) {
    self.amount = amount
    self.minimum = minimum
    self.maximum = maximum
    self.noiseScale = noiseScale
  }

  init(options: inout OptionReader) throws(OptionError) {
    amount = try options.double("churn", default: 0, in: 0...1000)
    minimum = try options.double("churn-min", default: 0, in: 0...1e9)
    maximum = try options.double("churn-max", in: 0...1e9) ?? .infinity
    noiseScale = try options.double("churn-noise", default: 1, in: 0...10)
  }

  /// The sample and its level with more noise.
  func applied(
    to x: Tensor, at level: NoiseLevel, in plan: SamplingPlan, noise: inout SamplingNoise
  ) throws(SamplingError) -> (Tensor, NoiseLevel) {
    let ratio = level.noiseToSignal
    guard amount > 0, ratio.isFinite, ratio >= minimum, ratio <= maximum else { return (x, level) }
    let gamma = min(amount / Double(plan.stepCount), 2.0.squareRoot() - 1)
    let raised = plan.schedule.level(noiseToSignal: ratio * (1 + gamma))
    let added = ratio * ((1 + gamma) * (1 + gamma) - 1).squareRoot() * noiseScale
    let drawn = try noise.normal(x.shape)
    let noisier = Tensor.linearCombination([
      (raised.alpha / level.alpha, x), (raised.alpha * added, drawn),
    ])
    return (noisier, raised)
  }
}
