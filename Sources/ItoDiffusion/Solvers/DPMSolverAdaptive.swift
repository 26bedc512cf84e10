public import ItoComponents
public import ItoTensors

/// DPM-Solver with steps of its own choice: order 2 judged by order 1, or order 3 by order 2.
///
/// Between two levels of the plan it takes as many steps as the tolerance asks for; a plan of few steps is
/// enough. With u = λ_c + r·h and noise estimates ε: order 2 (r = ½)
/// `x_next = (αₙ/α_c)·x − σₙ·(e^h − 1)·(ε_c + (ε_u − ε_c)/(2r))`; order 3 adds an estimate at r₂ = ⅔ after one
/// at r₁ = ⅓, and its lower order is that with r = ⅓.
/// - Order: 2 or 3 in the number of steps. Two or three evaluations a step, rejected ones included.
/// - Domain: a step from pure noise begins with an Euler step over a fiftieth of its time; a step to sigma
///   0 is Euler's. The noise estimates are those of the sample, so that every prediction will do.
/// - Source: Lu et al. 2022, *DPM-Solver*, arXiv:2206.00927, algorithms 1 to 5 and appendix C.
public struct DPMSolverAdaptive: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm-adaptive"
  /// What other tools call it.
  public static let aliases = ["dpm-solver-adaptive", "dpm-solver-23"]
  /// One line for tables.
  public static let summary = "DPM-Solver with steps chosen by their error"

  /// The higher order, 2 or 3.
  public var order: Int
  let stepping: AdaptiveStepping
  /// The first step in half-log-SNR.
  public var firstStep: Double

  /// The paper's tolerances unless told otherwise.
  public init(
    order: Int = 3, relativeTolerance: Double = 0.05, absoluteTolerance: Double = 0.0078,
    firstStep: Double = 0.05
  ) {
    self.order = order
    stepping = AdaptiveStepping(relative: relativeTolerance, absolute: absoluteTolerance)
    self.firstStep = firstStep
  }

  /// Takes the options `order`, `rtol`, `atol`, `first-step`.
  public init(options: inout OptionReader) throws(OptionError) {
    order = try options.int("order", default: 3, in: 2...3)
    stepping = try AdaptiveStepping(options: &options, relative: 0.05, absolute: 0.0078)
    firstStep = try options.double("first-step", default: 0.05, in: 1e-4...10)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: order, evaluations: order, isAdaptive: true, source: "arXiv:2206.00927")
  }

  /// The schedule, and the step to try next.
  public struct Memory: Sendable {
    let schedule: any NoiseSchedule
    var h: Double
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(schedule: plan.schedule, h: firstStep)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let schedule = memory.schedule
    let start = try belowPureNoise(
      x, from: current, to: next, on: schedule, noise: &noise, denoise: denoise)
    guard let (x, current) = start.unfinished else { return start.x }
    return try stepping.run(
      x, from: current, to: next, on: schedule, h: &memory.h, order: order,
      evaluationsPerAttempt: order - 1, denoise: denoise
    ) { (x, clean, current, next) throws(SamplingError) in
      let first = current.noise(in: x, clean: clean)
      func estimate(_ x: Tensor, _ level: NoiseLevel) throws(SamplingError) -> Estimate {
        level.noise(in: x, clean: try denoise(x, level))
      }
      func level(_ fraction: Double) -> NoiseLevel {
        let lambda = current.halfLogSNR + fraction * (next.halfLogSNR - current.halfLogSNR)
        return schedule.level(noiseToSignal: exponential(-lambda))
      }
      /// The step to `level` with a line through the estimates at 0 and `fraction` of the whole step.
      func moved(
        to level: NoiseLevel, _ weight: DifferenceWeight, _ other: Estimate?, at fraction: Double
      ) -> Tensor {
        let step = ExponentialStep(from: current, to: level, prediction: .noise)
        let share = step.h / (next.halfLogSNR - current.halfLogSNR)
        let slope = other == nil ? 0 : step.first(weight) * share / fraction
        var terms = [(coefficient: step.base, tensor: x)]
        terms += (step.zeroth - slope) * first
        if let other { terms += slope * other }
        return Tensor.linearCombination(terms)
      }
      if order == 2 {
        let middle = level(0.5)
        let second = try estimate(moved(to: middle, .midpoint, nil, at: 1), middle)
        return (
          moved(to: next, .midpoint, second, at: 0.5), moved(to: next, .midpoint, nil, at: 1)
        )
      }
      let (third, twoThirds) = (level(1.0 / 3), level(2.0 / 3))
      let second = try estimate(moved(to: third, .midpoint, nil, at: 1), third)
      let last = try estimate(moved(to: twoThirds, .heun, second, at: 1.0 / 3), twoThirds)
      return (
        moved(to: next, .heun, last, at: 2.0 / 3), moved(to: next, .midpoint, second, at: 1.0 / 3)
      )
    }
  }
}

/// How far methods in log-SNR get a sample that may be at an end of the process.
struct FiniteStart {
  var x: Tensor
  /// Where to go on from; nil when `x` is at the step's end.
  var unfinished: (x: Tensor, level: NoiseLevel)?
}

/// A sample where log-SNR is finite: after a short Euler step from pure noise, or at the end of a step that
/// goes to sigma 0 by Euler's rule.
func belowPureNoise(
  _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, on schedule: any NoiseSchedule,
  noise: inout SamplingNoise, denoise: DenoiseFunction
) throws(SamplingError) -> FiniteStart {
  guard current.alpha == 0 || next.sigma == 0 else {
    return FiniteStart(x: x, unfinished: (x, current))
  }
  let target =
    next.sigma == 0 ? next : schedule.level(at: current.time - (current.time - next.time) / 50)
  let clean = try denoise(x, current)
  let moved = try implicitStep(x, estimate: clean, from: current, to: target, noise: &noise)
  return FiniteStart(x: moved, unfinished: next.sigma == 0 ? nil : (moved, target))
}
