public import ItoComponents
public import ItoTensors

/// Dormand and Prince's Runge–Kutta pair of orders 5 and 4, with steps chosen by their error.
///
/// With y = x/α and λ = log(α/σ): `dy/dλ = clean − y`. Between two levels of the plan it takes as many steps
/// as the tolerance asks for.
/// - Order: 5 in the number of steps. Six evaluations a step, rejected ones included; the seventh is the
///   next step's first.
/// - Domain: as `DPMSolverAdaptive`.
/// - Source: Dormand & Prince 1980, doi:10.1016/0771-050X(80)90013-3; for diffusion Song et al. 2021,
///   arXiv:2011.13456, section 4.3. Differs: over log-SNR rather than time.
public struct RK45: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "rk45"
  /// What other tools call it.
  public static let aliases = ["dopri5", "dormand-prince"]
  /// One line for tables.
  public static let summary = "Runge–Kutta of orders 5 and 4 with steps chosen by their error"

  let stepping: AdaptiveStepping
  /// The first step in half-log-SNR.
  public var firstStep: Double

  /// Both tolerances 0.001 unless told otherwise: below that, float32 samples are not resolved.
  public init(
    relativeTolerance: Double = 1e-3, absoluteTolerance: Double = 1e-3, firstStep: Double = 0.05
  ) {
    stepping = AdaptiveStepping(relative: relativeTolerance, absolute: absoluteTolerance)
    self.firstStep = firstStep
  }

  /// Takes the options `rtol`, `atol`, `first-step`.
  public init(options: inout OptionReader) throws(OptionError) {
    stepping = try AdaptiveStepping(options: &options, relative: 1e-3, absolute: 1e-3)
    firstStep = try options.double("first-step", default: 0.05, in: 1e-4...10)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: 5, evaluations: 6, isAdaptive: true, source: "doi:10.1016/0771-050X(80)90013-3")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> DPMSolverAdaptive.Memory {
    DPMSolverAdaptive.Memory(schedule: plan.schedule, h: firstStep)
  }

  /// Where the stages are, and what each is made of; the last row is the sample of order 5.
  static let nodes = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]
  static let rows: [[Double]] = [
    [], [1.0 / 5], [3.0 / 40, 9.0 / 40], [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  /// The weights of order 4.
  static let lower: [Double] = [
    5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40,
  ]

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel,
    memory: inout DPMSolverAdaptive.Memory, noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let schedule = memory.schedule
    let start = try belowPureNoise(
      x, from: current, to: next, on: schedule, noise: &noise, denoise: denoise)
    guard let (x, current) = start.unfinished else { return start.x }
    return try stepping.run(
      x, from: current, to: next, on: schedule, h: &memory.h, order: 5, evaluationsPerAttempt: 6,
      denoise: denoise
    ) { (x, clean, current, next) throws(SamplingError) in
      let h = next.halfLogSNR - current.halfLogSNR
      func derivative(_ x: Tensor, _ clean: Tensor, _ level: NoiseLevel) -> Tensor {
        Tensor.linearCombination([(1, clean), (-1 / level.alpha, x)])
      }
      var slopes = [derivative(x, clean, current)]
      func sample(_ weights: [Double], at level: NoiseLevel) -> Tensor {
        var terms = [(coefficient: level.alpha / current.alpha, tensor: x)]
        for (weight, slope) in Swift.zip(weights, slopes) where weight != 0 {
          terms.append((level.alpha * h * weight, slope))
        }
        return Tensor.linearCombination(terms)
      }
      var high = x
      for (node, row) in Swift.zip(Self.nodes, Self.rows).dropFirst() {
        let level =
          node == 1
          ? next
          : schedule.level(noiseToSignal: exponential(-current.halfLogSNR - node * h))
        high = sample(row, at: level)
        slopes.append(derivative(high, try denoise(high, level), level))
      }
      return (high, sample(Self.lower, at: next))
    }
  }
}
