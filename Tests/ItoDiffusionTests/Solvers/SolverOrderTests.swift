import Foundation
import ItoComponents
import ItoDiffusion
import ItoTensors
import Testing

/// The order of every registered solver without noise, on a problem whose solution is known.
@Suite struct SolverOrderTests {
  static let problem = MixtureProblem()

  /// Below this the error of float32 samples, about 1e-6 in units of the data, bends the slope; errors of
  /// order 4 are above it only where their slope has not settled.
  static func floor(order: Int) -> Double { order > 2 ? 4e-6 : 1e-5 }
  /// How far the fitted slope may be from the order.
  static let tolerance = 0.25

  /// The registered solvers that a slope can be fitted for, with their last steps at full order. Those that
  /// are parallel in time reach Euler's solution to a tolerance, which their own tests judge.
  static let names = Registry<any Solver>.builtin.names.filter { name in
    if ["paradigms", "parataa", "deq"].contains(name) { return false }
    guard let traits = try? make(name).traits else { return true }
    return !traits.isStochastic && !traits.isAdaptive
  }

  static func make(_ name: String) throws -> any Solver {
    let keys = try Registry<any Solver>.builtin.options(of: name).map(\.key)
    var options: [String: OptionValue] = [:]
    if keys.contains("lower-order-final") { options["lower-order-final"] = false }
    // Float32 samples resolve a slope of 4 on some processes only: see `options` for that order.
    let order = try Registry<any Solver>.builtin.make(name).traits.order
    if keys.contains("order"), order > 3 { options["order"] = 3 }
    return try Registry<any Solver>.builtin.make(name, options: OptionReader(options))
  }

  /// The slope of the logarithm of the error over that of the number of steps, by least squares through the
  /// three finest runs whose error is not that of float32.
  static func slope<S: Solver>(
    _ solver: S, _ schedule: any NoiseSchedule, _ parameterization: any Parameterization
  ) throws -> Double {
    // Samples that are not scaled down where they are noisy keep fewer digits.
    let scale = schedule.level(noiseToSignal: 12).alpha > 0.5 ? 2.0 : 1
    var points: [(Double, Double)] = []
    for steps in [36, 48, 72, 96, 144, 192] {
      let error = try problem.error(of: solver, steps: steps, on: schedule, parameterization)
      guard error > scale * floor(order: solver.traits.order) else { continue }
      points.append((log(Double(steps)), log(error)))
    }
    points = points.suffix(3)
    let n = Double(points.count)
    let meanX = points.map(\.0).reduce(0, +) / n, meanY = points.map(\.1).reduce(0, +) / n
    let covariance = points.reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    return -covariance / points.reduce(0) { $0 + ($1.0 - meanX) * ($1.0 - meanX) }
  }

  // PNDM is of order 4 and no other, which float32 resolves on the cosine process.
  @Test("on every schedule", arguments: names.filter { $0 != "pndm" })
  func schedules(name: String) throws {
    let solver = try Self.make(name)
    for schedule in Registry<any NoiseSchedule>.builtin.names {
      let slope = try Self.slope(
        solver, try Registry<any NoiseSchedule>.builtin.make(schedule), CleanPrediction())
      #expect(abs(slope - Double(solver.traits.order)) < Self.tolerance, "\(schedule): \(slope)")
    }
  }

  @Test("in every parameterization", arguments: names)
  func parameterizations(name: String) throws {
    let solver = try Self.make(name)
    for parameterization in Registry<any Parameterization>.builtin.names {
      let slope = try Self.slope(
        solver, Cosine(), try Registry<any Parameterization>.builtin.make(parameterization))
      #expect(
        abs(slope - Double(solver.traits.order)) < Self.tolerance, "\(parameterization): \(slope)")
    }
  }

  /// The orders that options choose.
  @Test(arguments: [
    ("lms:order=1", 1), ("lms:order=2", 2), ("lms:order=3", 3), ("ipndm:order=1", 1),
    ("ipndm:order=2", 2), ("ipndm:order=3", 3), ("pndm:start=runge-kutta", 4),
    ("dpm-solver:order=1", 1), ("dpm-solver:order=3,lower-order-final=false", 2),
    ("dpm-solver:variant=heun,lower-order-final=false", 2),
    ("dpm-singlestep:order=1", 1), ("dpm-singlestep:order=3", 3),
    ("dpm-singlestep:order=3,variant=heun", 3), ("dpm-singlestep:order=3,prediction=noise", 3),
    ("dpm-singlestep:order=2,variant=heun,prediction=noise", 2),
    ("deis:order=3,lower-order-final=false", 3),
    ("deis:order=2,variable=rho,lower-order-final=false", 2),
    ("deis:order=3,variable=rho,lower-order-final=false", 3),
    ("deis:order=2,variable=time,lower-order-final=false", 2),
    ("deis:order=3,variable=time,lower-order-final=false", 3),
    ("unipc:order=1,lower-order-final=false", 2), ("unipc:order=3,lower-order-final=false", 4),
    ("unipc:order=2,corrector=false,lower-order-final=false", 2),
    ("unipc:order=3,corrector=false,lower-order-final=false", 3),
    ("unipc:order=2,variant=bh1,prediction=noise,lower-order-final=false", 3),
    ("res-2m:order=1", 1), ("res-2m:order=4", 4), ("res-2s:c2=1", 2), ("res-2s:c2=0.3", 2),
    ("adams-bashforth:order=1", 1), ("adams-bashforth:order=2", 2),
    ("adams-bashforth:order=4", 4),
    ("sa-solver:tau=0,lower-order-final=false", 2),
    ("sa-solver:tau=0,order=3,corrector-order=4,lower-order-final=false", 4),
    ("sa-solver:tau=0,order=3,corrector-order=0,lower-order-final=false", 3),
    ("sa-solver:tau=0,order=1,corrector-order=1,lower-order-final=false", 1),
    ("dpm++sde:eta=0", 2), ("ddim", 1), ("tcd:eta=0", 1), ("heun:variables=flow", 2),
  ])
  func options(choice: String, order: Int) throws {
    let solver = try Registry<any Solver>.builtin.make(ComponentChoice(parsing: choice))
    #expect(solver.traits.order == order)
    let slope = try Self.slope(solver, Cosine(), CleanPrediction())
    #expect(abs(slope - Double(order)) < Self.tolerance, "\(slope)")
  }

  /// Solvers that choose their own steps: a smaller tolerance takes more evaluations and makes a smaller
  /// error, in one step of the plan.
  @Test(arguments: ["dpm-adaptive:order=2", "dpm-adaptive", "rk45"])
  func adaptive(choice: String) throws {
    var errors: [Double] = [], evaluations: [Int] = []
    for tolerance in [0.3, 3e-4] {
      var parsed = try ComponentChoice(parsing: choice)
      parsed.options["rtol"] = .double(tolerance)
      parsed.options["atol"] = .double(tolerance)
      let solver = try Registry<any Solver>.builtin.make(parsed)
      var count = 0
      errors.append(
        try Self.problem.error(of: solver, steps: 1, on: Cosine(), CleanPrediction()) { count += 1 }
      )
      evaluations.append(count)
    }
    #expect(errors[1] < 0.01)
    #expect(errors[1] < errors[0])
    #expect(evaluations[1] > evaluations[0])
  }

  /// A tolerance that no step size meets is an error, not an endless run.
  @Test func unreachableTolerancesEnd() throws {
    let solver = try Registry<any Solver>.builtin.make(
      "rk45", options: ["rtol": 1e-6, "atol": 1e-6])
    #expect(throws: SamplingError.self) {
      try Self.problem.error(of: solver, steps: 1, on: Cosine(), roughness: 0.01, CleanPrediction())
    }
  }
}
