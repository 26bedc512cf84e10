public import ItoComponents
public import ItoTensors

/// Diffusion exponential integrator: the integral of a polynomial through past noise estimates.
///
/// With y = x/α and ρ = σ/α: `y_next = y + Σ εᵢ·∫ Lᵢ(v(ρ)) dρ` from ρ_c to ρₙ, Lᵢ the Lagrange polynomials
/// in the variable v: the time (tAB), ρ itself (ρAB) or log ρ.
/// - Order: `order` after a start of rising order; the polynomial is of degree `order − 1`. One evaluation
///   a step.
/// - Domain: steps from pure noise and, but for v = ρ, to sigma 0 are of first order; levels beyond the
///   schedule, which have no time of their own, take log ρ in place of the time. Where times are interpolated
///   in a table of timesteps they are smooth in pieces only, and tAB of order 4 is measured at 3.
/// - Source: Zhang & Chen 2023, *Fast Sampling of Diffusion Models with Exponential Integrator*,
///   arXiv:2204.13902, equations 14 and 15; log ρ: diffusers' `DEISMultistepScheduler`.
public struct DEIS: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "deis"
  /// What other tools call it.
  public static let aliases = ["DEISMultistepScheduler", "deis-multistep"]
  /// One line for tables.
  public static let summary = "exponential integrator with polynomials of noise estimates"

  /// What the polynomials are in.
  public enum Variable: String, Sendable, Hashable, CaseIterable {
    case logRho = "log-rho"
    case rho
    case time
  }

  /// How many estimates are used.
  public var order: Int
  /// What the polynomials are in.
  public var variable: Variable
  /// Whether the last steps are of lower order in runs of fewer than 15.
  public var lowersFinalOrder: Bool

  /// Of order 2 in log ρ unless told otherwise.
  public init(order: Int = 2, variable: Variable = .logRho, lowersFinalOrder: Bool = true) {
    self.order = order
    self.variable = variable
    self.lowersFinalOrder = lowersFinalOrder
  }

  /// Takes the options `order`, `variable`, `lower-order-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, order: 2, variable: .logRho)
  }

  init(options: inout OptionReader, order: Int, variable: Variable) throws(OptionError) {
    self.order = try options.int("order", default: order, in: 1...4)
    self.variable = try options.choice("variable", default: variable)
    lowersFinalOrder = try options.bool("lower-order-final", default: true)
  }

  /// Polynomials of degree 3 in time.
  static let tAB3 = Registry<any Solver>.Entry(
    name: "deis-tab3", aliases: ["tab3", "deis-tab"],
    summary: "exponential integrator, polynomials in time of degree 3"
  ) { (options) throws(OptionError) in try DEIS(options: &options, order: 4, variable: .time) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: order, source: "arXiv:2204.13902") }

  /// The estimates and the schedule.
  public struct Memory: Sendable {
    var history: EstimateHistory
    let schedule: any NoiseSchedule
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(history: EstimateHistory(for: plan), schedule: plan.schedule)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    defer { memory.history.advance() }
    guard current.alpha > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    memory.history.record(current.noise(in: x, clean: clean), at: current, capacity: order)
    var allowed = memory.history.order(order, loweringFinal: lowersFinalOrder)
    if next.sigma == 0, variable != .rho { allowed = 1 }
    let known = memory.history.finite(upTo: allowed)
    let weights = integrals(
      over: known.map(\.level), from: current, to: next, schedule: memory.schedule)
    return Tensor.linearCombination(
      [(next.alpha / current.alpha, x)]
        + Swift.zip(known, weights).flatMap { next.alpha * $1 * $0.estimate })
  }

  private func integrals(
    over levels: [NoiseLevel], from current: NoiseLevel, to next: NoiseLevel,
    schedule: any NoiseSchedule
  ) -> [Double] {
    let (start, end) = (current.noiseToSignal, next.noiseToSignal)
    guard levels.count > 1 else { return [end - start] }
    if variable == .rho {
      return lagrangeIntegrals(knots: levels.map(\.noiseToSignal), from: start, to: end)
    }
    // Levels beyond the schedule all have the time of its end, which says nothing of them.
    let times = [next.time] + levels.map(\.time)
    let isTimed =
      variable == .time && Swift.zip(times, times.dropFirst()).allSatisfy { $0 < $1 }
    // Over log ρ, where what is integrated is smooth: dρ = ρ d(log ρ).
    let knots = levels.map { isTimed ? $0.time : -$0.halfLogSNR }
    return knots.indices.map { index in
      Quadrature.standard.integral(from: -current.halfLogSNR, to: -next.halfLogSNR) { logRho in
        let rho = exponential(logRho)
        let v = isTimed ? schedule.level(noiseToSignal: rho).time : logRho
        return rho * lagrange(index, of: knots, at: v)
      }
    }
  }
}
