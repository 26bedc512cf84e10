public import ItoComponents
public import ItoTensors

/// DPM-Solver and DPM-Solver++ of order 1, 2 or 3 that begin anew every few steps.
///
/// The steps of the plan are taken in groups of `order`: within a group, step k goes from the group's
/// first level to its end with the k estimates of the group, at order k. With h from the first level, at
/// order 2 D₁ = (m₁ − m₀)·h/(λ₁ − λ₀); at order 3 (midpoint) D₁ = (m₂ − m₀)·h/(λ₂ − λ₀), as if the two
/// levels were at ⅓ and ⅔ of the group, or (heun) the derivatives of the parabola through all three.
/// - Order: `order` in groups, where their levels are at equal steps of log-SNR. One evaluation a step.
/// - Domain: a group that starts from pure noise goes on with steps of first order.
/// - Source: Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2; arXiv:2211.01095, algorithm 1; the
///   orders of the groups as in diffusers.
public struct DPMSolverSinglestep: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm-singlestep"
  /// What other tools call it.
  public static let aliases = ["DPMSolverSinglestepScheduler", "dpm-solver-singlestep"]
  /// One line for tables.
  public static let summary = "groups of steps of rising order in log-SNR"

  /// Steps in a group.
  public var order: Int
  /// What the estimates are of.
  public var prediction: SolverPrediction
  /// How differences of estimates are weighted.
  public var variant: DifferenceWeight
  /// Share of the reversed process's noise.
  public var eta: Double
  /// Whether the last group is cut short so that the last step is of first order; it always is where the
  /// run ends at sigma 0.
  public var lowersFinalOrder: Bool

  /// DPM-Solver++ of order 2 unless told otherwise.
  public init(
    order: Int = 2, prediction: SolverPrediction = .clean, variant: DifferenceWeight = .midpoint,
    eta: Double = 0, lowersFinalOrder: Bool = false
  ) {
    self.order = order
    self.prediction = prediction
    self.variant = variant
    self.eta = eta
    self.lowersFinalOrder = lowersFinalOrder
  }

  /// Takes the options `order`, `prediction`, `variant`, `eta`, `lower-order-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, order: 2, prediction: .clean)
  }

  /// Order 3 on noise estimates, as k-diffusion's `sample_dpm_fast`.
  static let fast = Registry<any Solver>.Entry(
    name: "dpm-fast", summary: "groups of three steps of rising order on noise estimates"
  ) { (options) throws(OptionError) in
    try DPMSolverSinglestep(options: &options, order: 3, prediction: .noise)
  }

  init(
    options: inout OptionReader, order: Int, prediction: SolverPrediction
  ) throws(OptionError) {
    self.order = try options.int("order", default: order, in: 1...3)
    self.prediction = try options.choice("prediction", default: prediction)
    variant = try options.choice("variant", default: .midpoint)
    eta = try options.double("eta", default: 0, in: 0...1)
    lowersFinalOrder = try options.bool("lower-order-final", default: false)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: eta > 0 ? 1 : order, isStochastic: eta > 0,
      source: prediction == .clean ? "arXiv:2211.01095" : "arXiv:2206.00927")
  }

  /// The group that a run is in.
  public struct Memory: Sendable {
    let orders: [Int]
    var index = 0
    var group: (x: Tensor, estimates: [Estimate], levels: [NoiseLevel])?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(orders: orders(steps: plan.stepCount, endsClean: plan.levels.last?.sigma == 0))
  }

  /// The order of every step: rising in groups, with a last group that fits.
  func orders(steps: Int, endsClean: Bool) -> [Int] {
    let whole = [Int](1...order)
    // Groups that come out even leave no room for the step of first order to sigma 0.
    var last: [Int] = []
    if order > 1, steps % order == 0, endsClean || lowersFinalOrder {
      last = order == 3 ? [1, 2, 1] : [1, 1]
    }
    let body = steps - last.count
    guard body >= 0 else { return [Int](repeating: 1, count: steps) }
    var result = (0..<body).map { whole[$0 % order] } + last
    if endsClean { result[steps - 1] = 1 }
    return result
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    defer { memory.index += 1 }
    let drawn = eta > 0 ? try noise.normal(x.shape) : nil
    let isUsable = current.alpha > 0 && next.sigma > 0
    let kind = isUsable ? prediction : .clean
    let estimate = kind == .clean ? Estimate(clean) : current.noise(in: x, clean: clean)
    let begins = memory.orders[memory.index] == 1 || !isUsable
    var group = begins ? nil : memory.group
    group = (
      group?.x ?? x, (group?.estimates ?? []) + [estimate], (group?.levels ?? []) + [current]
    )
    memory.group = isUsable ? group : nil
    guard let group, let base = group.levels.first else { return x }
    let step = ExponentialStep(from: base, to: next, prediction: kind, eta: eta)
    var terms = [(coefficient: step.base, tensor: group.x)]
    terms += Swift.zip(weights(of: group.levels, in: step), group.estimates).flatMap { $0 * $1 }
    if let drawn, step.noise > 0 { terms.append((step.noise, drawn)) }
    return Tensor.linearCombination(terms)
  }

  /// The coefficients of the group's estimates, oldest first.
  private func weights(of levels: [NoiseLevel], in step: ExponentialStep) -> [Double] {
    let ratios = levels.dropFirst().map { ($0.halfLogSNR - levels[0].halfLogSNR) / step.h }
    switch ratios.count {
    case 0: return [step.zeroth]
    case 1:
      let first = step.first(variant) / ratios[0]
      return [step.zeroth - first, first]
    default:
      let (inner, outer) = (ratios[0], ratios[1])
      let first = step.first(.heun)
      guard variant == .heun else {
        return [step.zeroth - first / outer, 0, first / outer]
      }
      let a = (first * outer - 2 * step.second) / (outer - inner) / inner
      let b = (2 * step.second - first * inner) / (outer - inner) / outer
      return [step.zeroth - a - b, a, b]
    }
  }
}
