import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

/// Methods that solve several steps at once, against Euler's steps one after the other.
@Suite struct ParallelInTimeTests {
  static let names = ["paradigms", "parataa", "deq"]

  let mixture = GaussianMixture(
    [
      .init(0.4, mean: [1, -0.5, 0.2], deviation: [0.4, 0.7, 0.3]),
      .init(0.6, mean: [-1, 0.8, 0], deviation: [0.6, 0.3, 0.5]),
    ], schedule: RectifiedFlow())
  let start = randomTensor([4, 3], seed: 6)

  func run(
    _ solver: any Solver, steps: Int = 24, guidance: any Guidance = NoGuidance(),
    start: Tensor? = nil
  ) throws -> SamplingResult {
    let start = start ?? self.start
    func label(_ value: Int32) -> Conditioning {
      Conditioning(
        label: Tensor([Int32](repeating: value, count: start.shape[0]), shape: [start.shape[0]]))
    }
    return try sample(
      start, with: mixture,
      SamplingRequest(
        positive: label(0), negative: label(2), plan: evenPlan(steps), solver: solver,
        guidance: guidance, noise: SamplingNoise(seed: 1)))
  }

  func solver(_ name: String, _ options: [String: OptionValue]) throws -> any Solver {
    try Registry<any Solver>.builtin.make(name, options: OptionReader(options))
  }

  @Test("without tolerance the steps are Euler's", arguments: names)
  func exact(name: String) throws {
    let sequential = try run(EulerSolver())
    for window in [1, 5, 24, 100] {
      let parallel = try run(try solver(name, ["tolerance": 0, "window": .int(window)]))
      #expect(mismatch(parallel.latent, sequential.latent, relative: 1e-5, absolute: 1e-6) == nil)
      #expect(parallel.rounds <= 24)
    }
  }

  @Test("a tolerance saves rounds and keeps the picture", arguments: names)
  func tolerance(name: String) throws {
    let sequential = try run(EulerSolver(), steps: 64)
    let parallel = try run(
      try solver(name, ["tolerance": 0.001, "window": 64]), steps: 64)
    #expect(parallel.rounds < 40)
    #expect(parallel.evaluations > 64)
    #expect(relativeRMSError(parallel.latent, sequential.latent) < 0.01)
    let finer = try run(try solver(name, ["tolerance": 1e-5, "window": 64]), steps: 64)
    #expect(relativeRMSError(finer.latent, sequential.latent) < 2e-4)
    #expect(finer.rounds > parallel.rounds)
  }

  @Test("guidance sees every step of the window as its own", arguments: names)
  func guidance(name: String) throws {
    let guidance = IntervalGuidance(scale: 3, progress: 0.25...0.6)
    let sequential = try run(EulerSolver(), guidance: guidance)
    let parallel = try run(try solver(name, ["tolerance": 0]), guidance: guidance)
    #expect(mismatch(parallel.latent, sequential.latent, relative: 1e-5, absolute: 1e-6) == nil)
  }

  @Test func onlyTheFirstStepOfARunIsAlone() throws {
    // A window of the whole run and no demands: one round for the first step, one for the rest.
    let loose = try run(try solver("paradigms", ["tolerance": 1e6, "window": 100]))
    #expect(loose.rounds == 2)
    #expect(loose.evaluations == 1 + 23)
  }

  @Test("mixing takes no more rounds than Picard's iteration", arguments: ["parataa", "deq"])
  func fewerRounds(name: String) throws {
    let options: [String: OptionValue] = ["tolerance": 1e-4, "window": 100]
    let picard = try run(try solver("paradigms", options), steps: 100)
    let mixed = try run(try solver(name, options), steps: 100)
    #expect(mixed.rounds <= picard.rounds)
  }

  @Test func aNetworkEvaluatesALevelForEachSample() throws {
    struct Network: Backbone {
      func callAsFunction(
        _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
      ) -> Tensor { (x + time.reshaped(to: [-1, 1])).sin() }
      mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {}
    }
    let denoiser = PreconditionedDenoiser(
      Network(), schedule: RectifiedFlow(), parameterization: VPrediction())
    let levels = [0.2, 0.5, 0.9, 1].map { RectifiedFlow().level(at: $0) }
    let context = EvaluationContext()
    let together = try #require(
      try denoiser.denoise(start, atEach: levels, given: Conditioning(), context: context))
    for (k, level) in levels.enumerated() {
      let alone = try denoiser.denoise(
        start.sliced(k..<k + 1, axis: 0), at: level, given: Conditioning(), context: context)
      #expect(mismatch(together.sliced(k..<k + 1, axis: 0), alone, relative: 1e-5) == nil)
    }
  }

  @Test func aCacheCannotFollowAWindow() throws {
    struct Never: CachePolicy {
      struct Session: CacheSession {
        mutating func lookup(_ query: CacheQuery) -> Activations? { nil }
        mutating func record(_ output: Activations, for query: CacheQuery) {}
      }
      func makeSession(for plan: SamplingPlan) -> Session { Session() }
    }
    #expect(throws: SamplingError.self) {
      try sample(
        start, with: mixture,
        SamplingRequest(
          plan: evenPlan(8), solver: ParaDiGMS(), cache: Never(), noise: SamplingNoise(seed: 1)))
    }
  }
}
