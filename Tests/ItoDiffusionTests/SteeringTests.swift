import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Synchronization
import Testing

@Suite("What steers a network, for the levels to come at once")
struct SteeringTests {
  /// The times that an embedding was asked for, call by call.
  private final class Log: Sendable {
    private let list = Mutex<[[Float]]>([])
    var calls: [[Float]] { list.withLock { $0 } }
    func add(_ times: Tensor) { list.withLock { $0.append(times.scalars) } }
  }

  /// Adds to the sample what a layer makes of time and label.
  private struct Network: Backbone {
    var layer: Linear
    let log = Log()
    let own = LayerIdentity(), layerIdentity = LayerIdentity()

    init() {
      var initial = ParameterInitializer(seed: 1)
      layer = Linear(4, 3, &initial)
    }

    func callAsFunction(
      _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
    ) -> Tensor {
      let asked = Conditioning(label: conditioning.label)
      let steering = context.steering(of: own, at: time, given: asked) { times, asked in
        log.add(times)
        let labels = asked.label?.scalars ?? times.scalars.map { _ in 0 }
        let rows: [Float] = zip(times.scalars, labels).flatMap { time, label -> [Float] in
          [time / 1000, label, time * label / 500, 1]
        }
        return Tensor(rows, shape: [times.shape[0], 4])
      }
      return 0.5 * x + steering.projected(by: layer, of: layerIdentity)
    }

    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.child("layer", &layer)
    }
  }

  private func model(_ network: Network) -> PreconditionedDenoiser<Network> {
    PreconditionedDenoiser(
      network, schedule: RectifiedFlow(), parameterization: FlowPrediction())
  }

  /// Runs with the levels of the plan known to the network, and with every evaluation by itself; the times asked for in
  /// the first.
  private func calls(
    _ solver: any Solver, steps: Int, labels: [Int32]? = nil,
    guidance: any Guidance = NoGuidance(), passes: PassExecution = .batched
  ) throws -> [[Float]] {
    let network = Network()
    func label(_ values: [Int32]?) -> Conditioning {
      Conditioning(label: values.map { Tensor($0, shape: [$0.count]) })
    }
    let request = SamplingRequest(
      positive: label(labels), negative: label(labels.map { $0.map { _ in 9 } }),
      plan: evenPlan(steps), solver: solver, guidance: guidance, noise: SamplingNoise(seed: 2),
      passes: passes)
    let x = randomTensor([3, 3], seed: 3)
    let found = try sample(x, with: model(network), request)
    let calls = network.log.calls
    let alone = try sample(x, with: StepByStep(model(network)), request)
    #expect(found.latent.scalars == alone.latent.scalars)
    return calls
  }

  private func solver(_ name: String) throws -> any Solver {
    try Registry<any Solver>.builtin.make(name)
  }

  @Test("one row a level where nothing but the time counts, all in one call")
  func times() throws {
    let calls = try calls(EulerSolver(), steps: 10)
    #expect(calls.map(\.count) == [10])
    #expect(calls[0] == calls[0].sorted(by: >) && Set(calls[0]).count == 10)
  }

  @Test(
    "a row for each sample of each level where something is asked for, as many as are worth while")
  func samples() throws {
    let labels: [Int32] = [1, 2, 3]
    #expect(try calls(EulerSolver(), steps: 10, labels: labels).map(\.count) == [30])
    // 21 levels of 3 rows are 63.
    let long = try calls(EulerSolver(), steps: 50, labels: labels)
    #expect(long.map(\.count) == [63, 63, 24])
    #expect(long[1][0] == long[1][2] && long[1][2] > long[1][3])
    #expect(Array(long.joined()) == long.joined().sorted(by: >))
    let guided = ClassifierFreeGuidance(scale: 3)
    let batched = try calls(EulerSolver(), steps: 12, labels: labels, guidance: guided)
    #expect(batched.map(\.count) == [60, 12])
    let sequential = try calls(
      EulerSolver(), steps: 12, labels: labels, guidance: guided, passes: .sequential)
    #expect(sequential.map(\.count) == [36, 36])
  }

  @Test("levels between two steps are computed as they come, and what is known stays")
  func others() throws {
    // The midpoints of the steps between the first and the last, beside the beginnings.
    let midpoint = try calls(try solver("dpm2"), steps: 6)
    #expect(midpoint.filter { $0.count == 6 }.count == 1)
    #expect(midpoint.dropFirst().allSatisfy { $0.count == 3 } && midpoint.count == 5)
    // Heun's second evaluation is at the beginning of the next step.
    #expect(try calls(try solver("heun"), steps: 6).first?.count == 6)
    // Every level of a window at once: a time for each sample.
    let parallel = try calls(try solver("paradigms"), steps: 6)
    #expect(parallel.contains { Set($0).count > 1 && $0.count.isMultiple(of: 3) })
  }

  @Test(
    "the same bits as level by level for every solver",
    arguments: Registry<any Solver>.builtin.names)
  func solvers(name: String) throws {
    do {
      _ = try calls(
        try solver(name), steps: 7, labels: [1, 2, 3],
        guidance: IntervalGuidance(scale: 3, progress: 0.2...0.7))
    } catch let error as SamplingError {
      // Methods for other processes say so.
      guard case .invalidPlan = error else { throw error }
    }
  }

  @Test("outside of a run and in training it is the samples' own")
  func alone() {
    let network = Network(), x = randomTensor([2, 3], seed: 3)
    let time = Tensor([500, 500], shape: [2])
    var asked = Conditioning(label: Tensor([Int32(1), 2], shape: [2]))
    let training = EvaluationContext(training: true)
    training.step = StepInfo(index: 0, count: 1, evaluation: 0, level: .clean)
    let results = [EvaluationContext(), training, training].map {
      network(x, time: time, conditioning: asked, context: $0).scalars
    }
    #expect(network.log.calls == [[500, 500], [500, 500], [500, 500]])
    #expect(mismatch(Tensor(results[0], shape: [2, 3]), results[1], relative: 1e-6) == nil)
    // Another label is another row, also in the same run.
    let run = EvaluationContext(
      cache: nil, plan: evenPlan(4))
    run.step = training.step
    let first = network(x, time: time, conditioning: asked, context: run).scalars
    asked.label = Tensor([Int32(2), 2], shape: [2])
    let second = network(x, time: time, conditioning: asked, context: run).scalars
    #expect(first == results[0] && first[0..<3] != second[0..<3] && first[3...] == second[3...])
  }
}

/// A model that is not told where in a run it is: every evaluation by itself.
private struct StepByStep<D: Denoiser>: Denoiser {
  let inner: D

  init(_ inner: D) { self.inner = inner }

  var schedule: any NoiseSchedule { inner.schedule }

  func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor {
    try inner.denoise(x, at: level, given: conditioning, context: EvaluationContext())
  }

  func denoise(
    _ x: Tensor, atEach levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext
  ) throws(SamplingError) -> Tensor? {
    try inner.denoise(x, atEach: levels, given: conditioning, context: EvaluationContext())
  }
}
