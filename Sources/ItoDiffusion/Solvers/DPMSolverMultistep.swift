public import ItoComponents
public import ItoTensors

/// DPM-Solver and DPM-Solver++ of order 1, 2 or 3 from estimates of earlier steps, with noise if wanted.
///
/// With r₀ = (λ_c − λ₁)/h, r₁ = (λ₁ − λ₂)/h, Δ₀ = (m_c − m₁)/r₀, Δ₁ = (m₁ − m₂)/r₁ the step is that of
/// `ExponentialStep` with D₀ = m_c and, at order 2, D₁ = Δ₀; at order 3, D₁ = Δ₀ + r₀/(r₀ + r₁)·(Δ₀ − Δ₁),
/// D₂ = (Δ₀ − Δ₁)/(r₀ + r₁).
/// - Order: `order` up to 2 after a start of first order, with noise 1 in the mean. Order 3 as published
///   has half the D₂ that third order needs, and so an error of order 2 with a smaller factor;
///   `ExponentialMultistep` is of order 3. One evaluation a step.
/// - Domain: from pure noise, where the first steps are of first order. Noise estimates cannot go to sigma
///   0, where a step of first order is taken.
/// - Source: Lu et al. 2022, arXiv:2211.01095, algorithm 2 and appendix B; arXiv:2206.00927. Differs from
///   diffusers at order 3 with noise, where that tool adds ½ where it should be subtracted.
public struct DPMSolverMultistep: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm-solver"
  /// What other tools call it.
  public static let aliases = ["dpm-solver-multistep"]
  /// One line for tables.
  public static let summary = "multistep in log-SNR on noise estimates"

  /// How many estimates are used.
  public var order: Int
  /// What the estimates are of.
  public var prediction: SolverPrediction
  /// How the difference of two estimates is weighted at order 2.
  public var variant: DifferenceWeight
  /// Share of the reversed process's noise.
  public var eta: Double
  /// Scale of the noise.
  public var noiseScale: Double
  /// Whether the last steps are of lower order in runs of fewer than 15.
  public var lowersFinalOrder: Bool
  /// Whether the last step is of first order whatever the number of steps.
  public var endsWithEuler: Bool

  /// As diffusers has it unless told otherwise.
  public init(
    order: Int = 2, prediction: SolverPrediction = .clean, variant: DifferenceWeight = .midpoint,
    eta: Double = 0, noiseScale: Double = 1, lowersFinalOrder: Bool = true,
    endsWithEuler: Bool = false
  ) {
    self.order = order
    self.prediction = prediction
    self.variant = variant
    self.eta = eta
    self.noiseScale = noiseScale
    self.lowersFinalOrder = lowersFinalOrder
    self.endsWithEuler = endsWithEuler
  }

  /// Takes the options `order`, `prediction`, `variant`, `eta`, `noise-scale`, `lower-order-final`,
  /// `euler-at-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, order: 2, prediction: .noise, eta: 0)
  }

  init(
    options: inout OptionReader, order: Int, prediction: SolverPrediction, eta: Double,
    variant: DifferenceWeight = .midpoint
  ) throws(OptionError) {
    self.order = try options.int("order", default: order, in: 1...3)
    self.prediction = try options.choice("prediction", default: prediction)
    self.variant = try options.choice("variant", default: variant)
    self.eta = try options.double("eta", default: eta, in: 0...10)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
    lowersFinalOrder = try options.bool("lower-order-final", default: true)
    endsWithEuler = try options.bool("euler-at-final", default: false)
  }

  /// Order 3 on clean estimates.
  static let plusPlus3M = preset(
    "dpm++3m", ["dpmpp-3m", "dpm-solver++3m"], order: 3, eta: 0,
    "multistep in log-SNR with three estimates")
  /// Order 2 with noise.
  static let plusPlus2MSDE = preset(
    "dpm++2m-sde", ["dpmpp-2m-sde", "dpmpp-2m-sde-gpu", "sde-dpm-solver++"], order: 2, eta: 1,
    "second-order multistep in log-SNR with noise")

  /// Order 2 with noise, its difference weighted by a straight line.
  static let plusPlus2MSDEHeun = preset(
    "dpm++2m-sde-heun", ["dpmpp-2m-sde-heun", "dpmpp-2m-sde-heun-gpu"], order: 2, eta: 1,
    variant: .heun, "second-order multistep in log-SNR with noise, linear in between")

  private static func preset(
    _ name: String, _ aliases: [String], order: Int, eta: Double,
    variant: DifferenceWeight = .midpoint, _ summary: String
  ) -> Registry<any Solver>.Entry {
    Registry<any Solver>.Entry(name: name, aliases: aliases, summary: summary) {
      (options) throws(OptionError) in
      try DPMSolverMultistep(
        options: &options, order: order, prediction: .clean, eta: eta, variant: variant)
    }
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: eta > 0 ? 1 : min(2, order), isStochastic: eta > 0,
      source: prediction == .clean ? "arXiv:2211.01095" : "arXiv:2206.00927")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    defer { memory.advance() }
    // There is no noise estimate to go on from pure noise, nor to end with.
    let kind = current.alpha > 0 && next.sigma > 0 ? prediction : .clean
    let step = ExponentialStep(from: current, to: next, prediction: kind, eta: eta)
    let estimate = prediction == .clean ? Estimate(clean) : current.noise(in: x, clean: clean)
    memory.record(estimate, at: current, capacity: order)
    let drawn = eta > 0 ? try noise.normal(x.shape) : nil
    var weights = [step.zeroth]
    var estimates = [kind == prediction ? estimate : Estimate(clean)]
    let known = memory.finite(upTo: allowedOrder(memory))
    if step.h.isFinite, step.h > 0, known.count > 1 {
      estimates = known.map(\.estimate)
      weights = differences(of: known.map(\.level), in: step)
    }
    var terms = [(coefficient: step.base, tensor: x)]
    terms += Swift.zip(weights, estimates).flatMap { $0 * $1 }
    if let drawn, step.noise > 0 { terms.append((step.noise * noiseScale, drawn)) }
    return Tensor.linearCombination(terms)
  }

  private func allowedOrder(_ memory: EstimateHistory) -> Int {
    if endsWithEuler && memory.remaining == 1 { return 1 }
    return memory.order(order, loweringFinal: lowersFinalOrder)
  }

  /// The coefficients of two or three estimates, newest first.
  private func differences(of levels: [NoiseLevel], in step: ExponentialStep) -> [Double] {
    let lambda = levels.map(\.halfLogSNR)
    let r0 = (lambda[0] - lambda[1]) / step.h
    guard levels.count > 2 else {
      let first = step.first(variant) / r0
      return [step.zeroth + first, -first]
    }
    let r1 = (lambda[1] - lambda[2]) / step.h
    let first = step.first(.heun)
    let newer = (first * (1 + r0 / (r0 + r1)) + step.second / (r0 + r1)) / r0
    let older = -(first * r0 + step.second) / (r0 + r1) / r1
    return [step.zeroth + newer, older - newer, -older]
  }
}
