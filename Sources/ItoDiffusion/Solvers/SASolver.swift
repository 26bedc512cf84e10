public import ItoComponents
public import ItoTensors

/// Stochastic Adams: a predictor and a corrector for a process with as much noise as wanted.
///
/// With h the step in half-log-SNR λ and k = 1 + τ²:
/// `x_next = (σₙ/σ_c)·e^{−τ²h}·x + αₙ·k·Σ mᵢ·∫ e^{−k(λₙ−λ)}·Lᵢ(λ) dλ + σₙ·√(1 − e^{−2τ²h})·z`,
/// Lᵢ the Lagrange polynomials through the λ of the estimates mᵢ, to which the corrector adds the one at
/// the new sample, with the same z. τ is `tau` where the time is between `start` and `end`, else 0.
/// - Order: at τ = 0 the corrector's, but at most one more than the predictor's; 1 in the mean with noise.
///   One evaluation a step. With two levels the integral of λ − λ_c is replaced by h²/2, which differs
///   from it by O(h³).
/// - Domain: steps from pure noise and to sigma 0 are of first order and are not corrected.
/// - Source: Xue et al. 2023, *SA-Solver*, arXiv:2309.05019, equations 13 to 18; order 2 as in the authors'
///   published code.
public struct SASolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "sa-solver"
  /// What other tools call it.
  public static let aliases = ["SASolverScheduler", "sasolver"]
  /// One line for tables.
  public static let summary = "stochastic Adams predictor and corrector"

  /// The predictor's order.
  public var predictorOrder: Int
  /// The corrector's order; 0 for none.
  public var correctorOrder: Int
  /// τ, the amount of noise: 1 for that of the reversed process.
  public var tau: Double
  /// The least time with noise.
  public var start: Double
  /// The greatest time with noise.
  public var end: Double
  /// Whether the order falls in the last steps.
  public var lowersFinalOrder: Bool

  /// Orders 2 and 2 with noise between a fifth and four fifths of the time unless told otherwise.
  public init(
    predictorOrder: Int = 2, correctorOrder: Int = 2, tau: Double = 1, start: Double = 0.2,
    end: Double = 0.8, lowersFinalOrder: Bool = true
  ) {
    self.predictorOrder = predictorOrder
    self.correctorOrder = correctorOrder
    self.tau = tau
    self.start = start
    self.end = end
    self.lowersFinalOrder = lowersFinalOrder
  }

  /// Takes the options `order`, `corrector-order`, `tau`, `start`, `end`, `lower-order-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    predictorOrder = try options.int("order", default: 2, in: 1...4)
    correctorOrder = try options.int("corrector-order", default: 2, in: 0...4)
    tau = try options.double("tau", default: 1, in: 0...10)
    start = try options.double("start", default: 0.2, in: 0...1)
    end = try options.double("end", default: 0.8, in: 0...1)
    lowersFinalOrder = try options.bool("lower-order-final", default: true)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    // A corrector of order q goes through q levels, the new one among them.
    let order = correctorOrder > 0 ? min(correctorOrder, predictorOrder + 1) : predictorOrder
    return SolverTraits(
      order: tau > 0 ? 1 : order, isStochastic: tau > 0, source: "arXiv:2309.05019")
  }

  /// The estimates, and the step before with its noise.
  public struct Memory: Sendable {
    var history: EstimateHistory
    let schedule: any NoiseSchedule
    var last: (x: Tensor, drawn: Tensor?, tau: Double, order: Int)?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(history: EstimateHistory(for: plan), schedule: plan.schedule)
  }

  /// τ at a level.
  private func tau(at level: NoiseLevel, on schedule: any NoiseSchedule) -> Double {
    let divisions = Double(schedule.divisions)
    let time = schedule.timestepCount == nil ? level.time : level.time - 1 / divisions
    return time >= start - 1e-9 && time <= end + 1e-9 ? tau : 0
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    defer { memory.history.advance() }
    var x = x
    if let last = memory.last, let from = memory.history.entries.first?.level {
      let before = memory.history.finite(upTo: last.order - 1)
      let estimates = [(Estimate(clean), current)] + before.map { ($0.estimate, $0.level) }
      x = update(last.x, estimates, last.drawn, tau: last.tau, from: from, to: current)
    }
    memory.history.record(
      Estimate(clean), at: current, capacity: max(predictorOrder, correctorOrder - 1))
    let tau = tau(at: current, on: memory.schedule)
    // Drawn even where it is not used, so that the streams do not depend on the levels.
    let drawn = self.tau > 0 ? try noise.normal(x.shape) : nil
    guard current.alpha > 0, next.sigma > 0 else {
      memory.last = nil
      let step = ExponentialStep(from: current, to: next, prediction: .clean, eta: tau * tau)
      var terms = [(coefficient: step.base, tensor: x), (step.zeroth, clean)]
      if let drawn, step.noise > 0 { terms.append((step.noise, drawn)) }
      return Tensor.linearCombination(terms)
    }
    let remaining = lowersFinalOrder ? memory.history.remaining : .max
    let known = memory.history.finite(upTo: min(predictorOrder, remaining))
    if correctorOrder > 0 {
      let order = min(correctorOrder, remaining == .max ? .max : remaining + 1)
      memory.last = (x, drawn, tau, order)
    }
    return update(
      x, known.map { ($0.estimate, $0.level) }, drawn, tau: tau, from: current, to: next)
  }

  /// The step from `current` to `next` with a polynomial through the given estimates.
  private func update(
    _ x: Tensor, _ estimates: [(Estimate, NoiseLevel)], _ drawn: Tensor?, tau: Double,
    from current: NoiseLevel, to next: NoiseLevel
  ) -> Tensor {
    let k = 1 + tau * tau
    let (start, end) = (current.halfLogSNR, next.halfLogSNR)
    let h = end - start
    let knots = estimates.map(\.1.halfLogSNR)
    var weights = lagrangeIntegrals(knots: knots, from: start, to: end) {
      exponential(-k * (end - $0))
    }
    if weights.count == 2 {
      let exact = (h * k - 1 + exponential(-k * h)) / (k * k)
      // Newest first: their difference over the distance of the two levels is the slope.
      let change = (h * h / 2 - exact) / (knots[0] - knots[1])
      weights[0] += change
      weights[1] -= change
    }
    let step = ExponentialStep(from: current, to: next, prediction: .clean, eta: tau * tau)
    var terms = [(coefficient: step.base, tensor: x)]
    for (weight, (estimate, _)) in Swift.zip(weights, estimates) {
      terms += next.alpha * k * weight * estimate
    }
    if let drawn, step.noise > 0 { terms.append((step.noise, drawn)) }
    return Tensor.linearCombination(terms)
  }
}
