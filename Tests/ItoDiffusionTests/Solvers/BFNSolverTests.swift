import Foundation
import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// Bayesian flow networks: their process, and their solvers against the published formulas.
@Suite struct BFNSolverTests {
  let schedule = BayesianFlow()

  @Test func levelsAreTheBeliefsOfTheFlow() {
    for time in [0.0, 0.2, 0.5, 0.9, 1] {
      let level = schedule.level(at: time)
      let gamma = 1 - pow(1e-6, 1 - min(time, 1 - 1e-5))
      #expect(abs(level.alpha - gamma) < 1e-12 * gamma + 1e-16)
      #expect(abs(level.sigma - (gamma * (1 - gamma)).squareRoot()) < 1e-9)
      let found = schedule.level(noiseToSignal: level.noiseToSignal)
      #expect(abs(found.alpha - level.alpha) < 1e-9 && abs(found.sigma - level.sigma) < 1e-9)
      #expect(abs(found.time - min(time, 1 - 1e-5)) < 1e-9)
    }
  }

  /// Steps of a run in scalars, as `step` has them from the estimates of this and the last evaluation.
  private func run(
    _ choice: String, drawn: Tensor,
    _ step: (_ x: Double, _ clean: (Double, Double?), Levels, Double) -> Double
  ) throws {
    let levels = [0.8, 0.55, 0.4, 0.1].map { schedule.level(at: $0) }
    let plan = SamplingPlan(levels: levels, schedule: schedule)
    func estimate(_ x: Double, _ level: NoiseLevel) -> Double { sin(2 * x) + level.time }
    let start = randomTensor([4, 3], seed: 5)
    let solver = try Registry<any Solver>.builtin.make(ComponentChoice(parsing: choice))
    let found = try advance(start, solver, plan, drawn) { x, level in
      Tensor(x.scalars.map { Float(estimate(Double($0), level)) }, shape: x.shape)
    }
    let expected = start.scalars.indices.map { index in
      var (x, previous) = (Double(start.scalars[index]), Double?.none)
      for k in 0..<plan.stepCount {
        let clean = estimate(x, levels[k])
        let before = k > 0 ? levels[k - 1] : nil
        x = step(
          x, (clean, previous), Levels(before: before, current: levels[k], next: levels[k + 1]),
          Double(drawn.scalars[index]))
        previous = clean
      }
      return Float(x)
    }
    #expect(
      mismatch(found, Tensor(expected, shape: [4, 3]), relative: 1e-4, absolute: 2e-5) == nil)
  }

  struct Levels {
    let before: NoiseLevel?
    let current: NoiseLevel
    let next: NoiseLevel

    /// β, the accuracy of the beliefs: the square of alpha/sigma.
    func accuracy(_ level: NoiseLevel) -> Double { pow(level.alpha / level.sigma, 2) }
    var h: Double { next.halfLogSNR - current.halfLogSNR }
    /// (clean − previous)/2r
    func slope(_ clean: (Double, Double?)) -> Double {
      guard let before, let previous = clean.1 else { return 0 }
      return (clean.0 - previous) * h / (current.halfLogSNR - before.halfLogSNR) / 2
    }
  }

  private func advance<S: Solver>(
    _ x: Tensor, _ solver: S, _ plan: SamplingPlan, _ drawn: Tensor,
    _ estimate: @escaping (Tensor, NoiseLevel) -> Tensor
  ) throws -> Tensor {
    var (x, memory) = (x, solver.makeMemory(for: plan))
    var noise = SamplingNoise(recorded: [Tensor](repeating: drawn, count: plan.stepCount))
    for k in 0..<plan.stepCount {
      let (current, next) = plan.step(k)
      x = try solver.step(
        x, from: current, to: next, memory: &memory, noise: &noise,
        denoise: DenoiseFunction { (x, level) throws(SamplingError) in estimate(x, level) })
    }
    return x
  }

  @Test func theFirstOrderWithNoiseUpdatesBeliefsExactly() throws {
    try run("sde-bfn-solver:order=1", drawn: randomTensor([4, 3], seed: 6)) { x, clean, levels, z in
      let (from, to) = (levels.accuracy(levels.current), levels.accuracy(levels.next))
      return ((1 + from) * x + (to - from) * clean.0 + (to - from).squareRoot() * z) / (1 + to)
    }
  }

  @Test func theFirstOrderOfTheFlow() throws {
    try run("bfn-solver:order=1", drawn: randomTensor([4, 3], seed: 6)) { x, clean, levels, _ in
      let noise = (x - levels.current.alpha * clean.0) / levels.current.sigma
      return levels.next.alpha / levels.current.alpha * x
        - levels.next.sigma * (exp(levels.h) - 1) * noise
    }
  }

  @Test func theSecondOrderOfTheFlow() throws {
    try run("bfn-solver", drawn: randomTensor([4, 3], seed: 6)) { x, clean, levels, _ in
      levels.next.sigma / levels.current.sigma * x
        + levels.next.alpha * (1 - exp(-levels.h)) * (clean.0 + levels.slope(clean))
    }
  }

  @Test func theSecondOrderWithNoise() throws {
    try run("sde-bfn-solver", drawn: randomTensor([4, 3], seed: 6)) { x, clean, levels, z in
      let left = exp(-2 * levels.h)
      return levels.next.sigma / levels.current.sigma * exp(-levels.h) * x
        + levels.next.alpha * (1 - left) * (clean.0 + levels.slope(clean))
        + levels.next.sigma * (1 - left).squareRoot() * z
    }
  }

  @Test func estimatesAreClipped() throws {
    let plan = SamplingPlan(
      levels: [schedule.level(at: 0.5), .clean], schedule: schedule)
    let solver = try Registry<any Solver>.builtin.make("bfn-solver", options: ["clip": 1])
    let start = randomTensor([4, 3], seed: 5)
    let end = try advance(start, solver, plan, start) { x, _ in 3 * x }
    #expect(end.scalars.map { abs($0) }.max() == 1)
  }
}
