import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Every registered solver that adds noise, on a mixture whose moments are known.
@Suite struct StochasticSolverTests {
  /// How a method is run here: with what options, and in how many steps, and then twice as many. A method
  /// that is not listed runs with its defaults in 40.
  struct Setting: Sendable {
    var options: [String: OptionValue] = [:]
    var steps = 40
  }

  static let settings: [String: Setting] = [
    "heun": Setting(options: ["churn": 20]),
    "ddim": Setting(options: ["eta": 1]),
    "gotta-go-fast": Setting(options: ["atol": 0.03, "rtol": 0.03], steps: 10),
  ]

  /// Methods for networks that map to the end of a step at once: with an ordinary denoiser, which gives a
  /// mean, they do not draw from its distribution.
  static let forMaps: Set<String> = ["lcm", "tcd", "flow-map", "scm"]

  /// The registered methods that add noise, with the options above.
  static let stochastic: [String] = Registry<any Solver>.builtin.names.filter { name in
    !forMaps.contains(name) && (try? solver(name))?.traits.isStochastic ?? false
  }

  static func solver(_ name: String) throws -> any Solver {
    try Registry<any Solver>.builtin.make(
      name, options: OptionReader(settings[name]?.options ?? [:]))
  }

  /// Levels from one that is nearly pure noise down to none, even in log(σ/α) but for the last.
  static func plan(_ steps: Int, _ schedule: some NoiseSchedule) -> SamplingPlan {
    let ratios = (0..<steps).map { 5 * pow(0.02 / 5, Double($0) / Double(steps - 1)) }
    let levels = ratios.map { schedule.level(noiseToSignal: $0) } + [.clean]
    return SamplingPlan(levels: levels, schedule: schedule)
  }

  @Test func mostMethodsAreFound() {
    #expect(Self.stochastic.count >= 12)
    #expect(Set(Self.settings.keys).isSubset(of: Registry<any Solver>.builtin.names))
  }

  /// 100,000 samples. The error of first order in the length of the steps is taken out by extrapolation
  /// from two runs, `2·m(2n) − m(n)`; each moment then lies within 5 of its standard errors, which one in
  /// a million runs exceeds.
  @Test("mean and covariance", arguments: stochastic)
  func moments(name: String) throws {
    let mixture = GaussianMixture(
      [
        .init(0.35, mean: [0.7, -0.3], deviation: [0.6, 0.9]),
        .init(0.65, mean: [-0.5, 0.5], deviation: [0.8, 0.5]),
      ], schedule: name == "heun" ? VarianceExploding() : RectifiedFlow())
    let setting = Self.settings[name] ?? Setting()
    let solver = try Self.solver(name)
    func found(_ steps: Int, seed: UInt64) throws -> SampleMoments {
      let plan = Self.plan(steps, mixture.schedule)
      let start = mixture.draw(100_000, at: plan.levels[0], seed: seed)
      let noise = SamplingNoise(NoiseSource(seed: seed, engine: .philox))
      let request = SamplingRequest(plan: plan, solver: solver, noise: noise)
      return SampleMoments(try sample(start, with: mixture, request).latent)
    }
    let coarse = try found(setting.steps, seed: 17)
    let fine = try found(2 * setting.steps, seed: 23)
    func check(
      _ what: String, _ expected: Double, _ value: (SampleMoments) -> Double,
      _ error: (SampleMoments) -> Double
    ) {
      let extrapolated = 2 * value(fine) - value(coarse)
      let deviation = (4 * error(fine) * error(fine) + error(coarse) * error(coarse)).squareRoot()
      let off = abs(extrapolated - expected) / deviation
      #expect(off < 5, "\(what): \(extrapolated) instead of \(expected)")
    }
    for i in 0..<2 {
      check("mean \(i)", mixture.mean[i], { $0.mean[i] }, { $0.meanError[i] })
      for j in 0...i {
        check(
          "covariance \(i), \(j)", mixture.covariance[i][j], { $0.covariance[i][j] },
          { $0.covarianceError[i][j] })
      }
    }
  }

  @Test("a run may start from pure noise", arguments: stochastic)
  func pureNoise(name: String) throws {
    let mixture = GaussianMixture(
      [.init(1, mean: [0.5, -0.5], deviation: [0.5, 1])], schedule: RectifiedFlow())
    let plan = evenPlan(20)
    let result = try sample(
      randomTensor([64, 2], seed: 2), with: mixture,
      SamplingRequest(
        plan: plan, solver: try Self.solver(name), noise: SamplingNoise(seed: 4, count: 64)))
    #expect(result.latent.isFinite)
  }

  @Test("a sample does not depend on its batch", arguments: stochastic)
  func batchIndependence(name: String) throws {
    // Its steps follow from the worst sample of the batch.
    if name == "gotta-go-fast" { return }
    let mixture = GaussianMixture(
      [
        .init(0.5, mean: [1, -0.5], deviation: [0.5, 1]),
        .init(0.5, mean: [-1, 0.5], deviation: [0.5, 0.2]),
      ], schedule: RectifiedFlow())
    let plan = Self.plan(12, mixture.schedule)
    let start = randomTensor([3, 2], seed: 2)
    func run(_ range: Range<Int>) throws -> Tensor {
      try sample(
        start.sliced(range, axis: 0), with: mixture,
        SamplingRequest(
          plan: plan, solver: try Self.solver(name),
          noise: SamplingNoise(seed: 4 + UInt64(range.lowerBound), count: range.count))
      ).latent
    }
    let together = try run(0..<3)
    let alone = try run(1..<2)
    #expect(mismatch(together.sliced(1..<2, axis: 0), alone, relative: 1e-4, absolute: 1e-4) == nil)
  }
}
