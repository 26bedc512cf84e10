import Foundation
import ItoComponents
import ItoDiffusion
import ItoTensors
import Testing

/// The order of every registered solver without noise, on a problem whose solution is known, in double
/// precision.
@Suite struct SolverOrderTests {
  static let problem = MixtureProblem()

  /// How far the fitted slope may be from the order.
  static let tolerance = 0.25
  /// Steps of the runs that a slope goes through: whole groups of two and of three.
  static let steps = [96, 144, 192, 288]

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
    return try Registry<any Solver>.builtin.make(name, options: OptionReader(options))
  }

  /// The slope of the logarithm of the error over that of the number of steps, by least squares.
  ///
  /// - Parameters:
  ///   - steps: of the runs that the slope goes through.
  ///   - startsExact: whether the first eighth of the steps starts each from the solution.
  static func slope<S: Solver>(
    _ solver: S, _ schedule: any NoiseSchedule, _ parameterization: any Parameterization,
    steps: [Int] = steps, startsExact: Bool = true
  ) throws -> Double {
    let points = try steps.map { steps in
      let run = MixtureProblem.Run(
        isEven: solver.traits.needsEqualSteps, exactSteps: startsExact ? steps / 8 : 0)
      let error = try problem.error(of: solver, steps: steps, on: schedule, parameterization, run)
      return (x: log(Double(steps)), y: log(error))
    }
    let n = Double(points.count)
    let meanX = points.map(\.x).reduce(0, +) / n, meanY = points.map(\.y).reduce(0, +) / n
    let covariance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
    return -covariance / points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
  }

  @Test("on every schedule, in every parameterization", arguments: names)
  func everywhere(name: String) throws {
    let solver = try Self.make(name)
    for schedule in Registry<any NoiseSchedule>.builtin.names {
      let process = try Registry<any NoiseSchedule>.builtin.make(schedule)
      for parameterization in Registry<any Parameterization>.builtin.names {
        let slope = try Self.slope(
          solver, process, try Registry<any Parameterization>.builtin.make(parameterization))
        let order = Double(solver.traits.order)
        // The one exception: a method that takes polynomials in time loses an order where times are
        // interpolated in a table, which is smooth in pieces only.
        let isTabulated = name == "deis-tab3" && process is any TabulatedSchedule
        #expect(
          slope > order - (isTabulated ? 1 : 0) - Self.tolerance && slope < order + Self.tolerance,
          "\(schedule), \(parameterization): \(slope)")
      }
    }
  }

  /// The exception above is the table's: with twenty times as many timesteps of the same process the order is
  /// back.
  @Test func aFinerTableHasTheOrderInTime() throws {
    let fine = ScaledLinearBeta(timesteps: 20_000, betaStart: 0.00085 / 20, betaEnd: 0.012 / 20)
    let slope = try Self.slope(try Self.make("deis-tab3"), fine, CleanPrediction())
    #expect(abs(slope - 4) < Self.tolerance, "\(slope)")
  }

  /// Left to its own start, which has steps of first order, a method is of order 2 at least: one such step
  /// errs by the square of its length.
  @Test("with their own start", arguments: names)
  func ownStart(name: String) throws {
    let solver = try Self.make(name)
    for schedule in Registry<any NoiseSchedule>.builtin.names {
      let slope = try Self.slope(
        solver, try Registry<any NoiseSchedule>.builtin.make(schedule), CleanPrediction(),
        startsExact: false)
      #expect(
        slope > Double(min(2, solver.traits.order)) - Self.tolerance, "\(schedule): \(slope)")
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
    ("lms:order=4", 4), ("ipndm:order=4", 4), ("deis:order=4,lower-order-final=false", 4),
    ("deis:order=4,variable=rho,lower-order-final=false", 4), ("seeds-3:eta=0", 3),
    ("dpm++3m-sde:eta=0", 2), ("er-sde:flow=true", 2), ("er-sde:flow=true,stages=2", 2),
    ("er-sde:flow=true,stages=1", 1),
    ("restart:repeats=0", 2),
    ("dmcmc:moves=0", 2), ("bfn-solver:order=1", 1),
  ])
  func options(choice: String, order: Int) throws {
    let solver = try Registry<any Solver>.builtin.make(ComponentChoice(parsing: choice))
    #expect(solver.traits.order == order)
    for schedule: any NoiseSchedule in [Cosine(), VarianceExploding(), RectifiedFlow()] {
      // More steps than above: polynomials of degree 3 in the logarithm settle late.
      let slope = try Self.slope(
        solver, schedule, NoisePrediction(), steps: [192, 288, 384, 576])
      #expect(abs(slope - Double(order)) < Self.tolerance, "\(slope)")
    }
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
        try Self.problem.error(
          of: solver, steps: 1, on: Cosine(), CleanPrediction(),
          MixtureProblem.Run(onEstimate: { count += 1 })))
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
      try Self.problem.error(
        of: solver, steps: 1, on: Cosine(), CleanPrediction(),
        MixtureProblem.Run(roughness: 0.01))
    }
  }
}
