public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The reverse process with steps whose length follows from the error: Euler's step and an improved
/// one with the same noise are compared, and the improved one is kept.
///
/// In y = x/α over u = log(σ/α) the process is `dy = 2(clean − y)·h + (σ/α)·√(2h)·z` for a step of h. With
/// y′ Euler's point and y″ the mean of y′ and a step with the slope there,
/// `E = rms((y′ − y″)/max(atol, rtol·max(|y′|, |y′ before|)))`; a step with E ≤ 1 is taken, and
/// `h ← 0.9·h·E^{−0.9}`. A step that is not taken keeps its draw of noise.
/// - Order: 1, weakly 2. Two evaluations a try; the plan's levels are reached exactly, so ask for few.
/// - Domain: a step from pure noise is ancestral, one to none the clean estimate.
/// - Source: Jolicoeur-Martineau et al. 2021, *Gotta Go Fast When Generating Data with Score-Based
///   Models*, arXiv:2105.14080, algorithm 1. The error is that of the batch's worst sample.
public struct GottaGoFast: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "gotta-go-fast"
  /// What other tools call it.
  public static let aliases = ["adaptive-sde", "ggf"]
  /// One line for tables.
  public static let summary = "the reverse process with steps chosen by their error"

  /// Error accepted, absolute and relative.
  public var absolute: Double, relative: Double

  /// Tolerances for pictures in −1…1 unless told otherwise.
  public init(absolute: Double = 0.0078, relative: Double = 0.02) {
    self.absolute = absolute
    self.relative = relative
  }

  /// Takes the options `atol`, `rtol`.
  public init(options: inout OptionReader) throws(OptionError) {
    absolute = try options.double("atol", default: 0.0078, in: 1e-6...10)
    relative = try options.double("rtol", default: 0.02, in: 0...10)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: 1, evaluations: 2, isStochastic: true, isAdaptive: true, source: "arXiv:2105.14080")
  }

  /// The schedule, the length to try and Euler's point of the step before.
  public struct Memory: Sendable {
    let schedule: any NoiseSchedule
    var length = 0.05
    var before: Tensor?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory(schedule: plan.schedule) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    var clean = try denoise(x, current)
    guard current.alpha > 0, next.sigma > 0, next.noiseToSignal < current.noiseToSignal else {
      return try implicitStep(x, estimate: clean, from: current, to: next, eta: 1, noise: &noise)
    }
    var y = Tensor.linearCombination([(1 / current.alpha, x)])
    var level = current
    while level != next {
      let rest = log(level.noiseToSignal / next.noiseToSignal)
      let drawn = try noise.normal(x.shape)
      while true {
        let isLast = memory.length >= rest * (1 - 1e-9)
        let h = isLast ? rest : memory.length
        let target =
          isLast ? next : memory.schedule.level(noiseToSignal: level.noiseToSignal * exp(-h))
        let euler = Tensor.linearCombination([
          (1 - 2 * h, y), (2 * h, clean), (level.noiseToSignal * (2 * h).squareRoot(), drawn),
        ])
        let far = try denoise(Tensor.linearCombination([(target.alpha, euler)]), target)
        // ½(y′ + y + 2h(far − y′) + s·√(2h)·z), s at the end of the step.
        let improved = Tensor.linearCombination([
          (0.5 - h, euler), (0.5, y), (h, far),
          (target.noiseToSignal * (h / 2).squareRoot(), drawn),
        ])
        let error = worst(euler, improved, before: memory.before ?? y)
        memory.length = Swift.min(2, Swift.max(1e-4, 0.9 * h * pow(Swift.max(error, 1e-6), -0.9)))
        guard error <= 1 || h <= 1e-4 else { continue }
        memory.before = euler
        y = improved
        level = target
        break
      }
      if level != next {
        clean = try denoise(Tensor.linearCombination([(level.alpha, y)]), level)
      }
    }
    return Tensor.linearCombination([(next.alpha, y)])
  }

  /// The greatest error of a sample, in units of what is accepted.
  private func worst(_ euler: Tensor, _ improved: Tensor, before: Tensor) -> Double {
    let size = Tensor.maximum(euler.abs(), before.abs())
    let accepted = Tensor.maximum(relative * size, Tensor(scalar: absolute))
    let ratio = (euler - improved) / accepted
    let batch = ratio.batchCount
    let squares = ratio.squared().reshaped(to: [batch, ratio.shape.count / batch]).mean(axes: [1])
    return Double(squares.max().item).squareRoot()
  }
}
