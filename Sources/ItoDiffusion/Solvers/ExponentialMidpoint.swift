public import ItoComponents
public import ItoTensors

/// Refined exponential singlestep of order 2: the second estimate at `c` of the step in log-SNR.
///
/// With φ₁(−h) = (1 − e^{−h})/h, φ₂(−h) = (1 − φ₁)/h: the first-order step to λ_c + c·h, the estimate m₂
/// there, then `x_next = (σₙ/σ_c)·x + αₙ·h·((φ₁ − φ₂/c)·m₁ + (φ₂/c)·m₂)`, which meets the order conditions
/// that DPM-Solver++(2S) meets only to leading order.
/// - Order: 2. Two evaluations a step; one in steps from pure noise and to sigma 0, which are Euler's.
/// - Source: Zhang et al. 2023 (RES), arXiv:2308.02157, algorithm 1 and table 2.
public struct ExponentialMidpoint: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "res-2s"
  /// One line for tables.
  public static let summary = "refined exponential singlestep of order 2"

  /// c₂, where the second estimate is made.
  public var fraction: Double

  /// Halfway unless told otherwise.
  public init(fraction: Double = 0.5) { self.fraction = fraction }

  /// Takes the option `c2`.
  public init(options: inout OptionReader) throws(OptionError) {
    fraction = try options.double("c2", default: 0.5, in: 0.05...1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 2, evaluations: 2, source: "arXiv:2308.02157")
  }

  /// The memory at the beginning of a run: the schedule, for levels between the plan's.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    guard current.alpha > 0, next.sigma > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let h = next.halfLogSNR - current.halfLogSNR
    guard h > 0 else { return x }
    let inner = plan.schedule.level(
      noiseToSignal: exponential(-(current.halfLogSNR + fraction * h)))
    let halfway = try implicitStep(x, estimate: clean, from: current, to: inner, noise: &noise)
    let second = try denoise(halfway, inner)
    let first = -exponentialMinusOne(-h)
    let line = (1 - first / h) / fraction
    return Tensor.linearCombination([
      (next.sigma / current.sigma, x), (next.alpha * (first - line), clean),
      (next.alpha * line, second),
    ])
  }
}
