import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// How often a step goes over memory: one fused pass for each sample that it makes.
@Suite struct SolverPassesTests {
  /// Passes that are not one for each evaluation of a step, and why.
  static let exceptions: [String: Int] = [
    // The corrected sample is the base of the next step, beside the predicted one.
    "unipc": 2, "unipc-bh1": 2, "sa-solver": 2,
    // A sample and its velocity.
    "cld": 2,
    // Two probes; then second and third moments, a bound and a choice for each element.
    "gms": 31,
  ]

  /// Methods whose steps depend on the values: their parts are as in the adaptive and parallel ones' own tests.
  static let names = Registry<any Solver>.builtin.names.filter { name in
    if ["paradigms", "parataa", "deq"].contains(name) { return false }
    return (try? Registry<any Solver>.builtin.make(name))?.traits.isAdaptive == false
  }

  /// What a step in the middle of a run calls, estimates and noise being at hand.
  static func passes<S: Solver>(of solver: S) throws -> [Profile.Entry] {
    let steps = 24, middle = 6
    let levels = (0..<steps).map { index in
      RectifiedFlow().level(at: 0.9 - 0.9 * Double(index) / Double(steps))
    }
    let plan = SamplingPlan(levels: levels + [.clean], schedule: RectifiedFlow())
    try solver.validate(plan)
    let tensors = (0..<4).map { randomTensor([2, 8], seed: UInt64($0)) }
    var noise = SamplingNoise(recorded: [Tensor](repeating: tensors[3], count: 4 * steps))
    var evaluation = 0
    let denoise = DenoiseFunction { (_, _) throws(SamplingError) in
      evaluation += 1
      return tensors[evaluation % 3]
    }
    var memory = solver.makeMemory(for: plan)
    var x = tensors[0]
    func step(_ index: Int) throws(SamplingError) {
      let (current, next) = plan.step(index)
      x = try solver.step(
        x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
    }
    for index in 0..<middle { try step(index) }
    return try Profile.recording { () throws(SamplingError) in try step(middle) }.entries
  }

  @Test("one for each sample", arguments: names)
  func count(name: String) throws {
    let solver = try Registry<any Solver>.builtin.make(name)
    let entries = try Self.passes(of: solver)
    let count = entries.reduce(0) { $0 + $1.calls }
    #expect(
      count == Self.exceptions[name] ?? solver.traits.evaluations,
      "\(entries.map { "\($0.operation) \($0.calls)" })")
  }

  @Test(
    "noise estimates cost no pass",
    arguments: [
      "dpm-solver", "dpm-fast", "unipc:prediction=noise,corrector=false", "deis:order=4",
      "lms:order=4",
      "ipndm:order=4", "adams-bashforth:order=4",
    ])
  func noiseEstimates(choice: String) throws {
    let solver = try Registry<any Solver>.builtin.make(ComponentChoice(parsing: choice))
    let entries = try Self.passes(of: solver)
    #expect(entries.map(\.operation) == ["LinearCombination"] && entries.first?.calls == 1)
  }
}
