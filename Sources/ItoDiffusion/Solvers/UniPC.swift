public import ItoComponents
public import ItoTensors

/// Predictor–corrector of any order in log-SNR; the corrector costs no evaluation of its own.
///
/// With h the step, hh = −h for clean estimates m (h for noise estimates), B = e^{hh} − 1 (bh2) or hh
/// (bh1), rᵢ = (λᵢ − λ_c)/h: `x_next = x̄ − s·B·Σ ρᵢ·(mᵢ − m_c)/rᵢ`, x̄ the first-order step, s = αₙ (σₙ).
/// ρ solves `Σₖ rₖ^{i−1}·ρₖ = i!·φ_{i+1}(hh)·hh/B`; with one unknown, ρ = ½. The corrector adds the
/// estimate at the new sample with r = 1 and repeats the step before.
/// - Order: `order`, one more with the corrector. One evaluation a step.
/// - Domain: steps from pure noise and to sigma 0 are of first order and are not corrected.
/// - Source: Zhao et al. 2023, *UniPC*, arXiv:2302.04867, algorithms 1 and 2, theorem 3.1.
public struct UniPC: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "unipc"
  /// What other tools call it.
  public static let aliases = ["UniPCMultistepScheduler", "uni-pc", "uni-pc-bh2", "unipc-bh2"]
  /// One line for tables.
  public static let summary = "predictor–corrector in log-SNR"

  /// B(h).
  public enum Variant: String, Sendable, Hashable, CaseIterable {
    case bh1, bh2
  }

  /// The predictor's order.
  public var order: Int
  /// B(h).
  public var variant: Variant
  /// What the estimates are of.
  public var prediction: SolverPrediction
  /// Whether steps are corrected.
  public var corrects: Bool
  /// Steps, from 0, whose results are not corrected.
  public var uncorrected: Set<Int>
  /// Whether the order falls to 1 in the last steps.
  public var lowersFinalOrder: Bool

  /// Order 2 with B(h) = e^{hh} − 1 unless told otherwise.
  public init(
    order: Int = 2, variant: Variant = .bh2, prediction: SolverPrediction = .clean,
    corrects: Bool = true, uncorrected: Set<Int> = [], lowersFinalOrder: Bool = true
  ) {
    self.order = order
    self.variant = variant
    self.prediction = prediction
    self.corrects = corrects
    self.uncorrected = uncorrected
    self.lowersFinalOrder = lowersFinalOrder
  }

  /// Takes the options `order`, `variant`, `prediction`, `corrector`, `lower-order-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, variant: .bh2)
  }

  init(options: inout OptionReader, variant: Variant) throws(OptionError) {
    order = try options.int("order", default: 2, in: 1...3)
    self.variant = try options.choice("variant", default: variant)
    prediction = try options.choice("prediction", default: .clean)
    corrects = try options.bool("corrector", default: true)
    uncorrected = []
    lowersFinalOrder = try options.bool("lower-order-final", default: true)
  }

  /// With B(h) = hh.
  static let bh1 = Registry<any Solver>.Entry(
    name: "unipc-bh1", aliases: ["uni-pc-bh1"], summary: "predictor–corrector in log-SNR, B(h) = h"
  ) { (options) throws(OptionError) in try UniPC(options: &options, variant: .bh1) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: corrects ? order + 1 : order, source: "arXiv:2302.04867")
  }

  /// The estimates, and the step before.
  public struct Memory: Sendable {
    var history: EstimateHistory
    var last: (x: Tensor, order: Int)?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(history: EstimateHistory(for: plan))
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    defer { memory.history.advance() }
    guard current.alpha > 0 else {
      memory.last = nil
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let estimate = prediction == .clean ? Estimate(clean) : current.noise(in: x, clean: clean)
    var x = x
    if corrects, let last = memory.last, !uncorrected.contains(memory.history.index - 1) {
      let known = memory.history.finite(upTo: last.order)
      if let from = known.first?.level {
        x = update(last.x, known, from: from, to: current, corrector: estimate)
      }
    }
    memory.history.record(estimate, at: current, capacity: order)
    var allowed = lowersFinalOrder ? min(order, memory.history.remaining) : order
    if next.sigma == 0 { allowed = 1 }
    let known = memory.history.finite(upTo: allowed)
    memory.last = next.sigma > 0 ? (x, known.count) : nil
    guard next.sigma > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    return update(x, known, from: current, to: next, corrector: nil)
  }

  /// The predictor's step, or the corrector's where the estimate at the end is given.
  private func update(
    _ x: Tensor, _ known: ArraySlice<EstimateHistory.Entry>, from current: NoiseLevel,
    to next: NoiseLevel, corrector: Estimate?
  ) -> Tensor {
    let step = ExponentialStep(from: current, to: next, prediction: prediction)
    let hh = prediction == .clean ? -step.h : step.h
    let b = variant == .bh1 ? hh : exponentialMinusOne(hh)
    let scale = -b * (prediction == .clean ? next.alpha : next.sigma)
    var ratios = known.dropFirst().map {
      ($0.level.halfLogSNR - current.halfLogSNR) / step.h
    }
    var estimates = known.dropFirst().map(\.estimate)
    if let corrector {
      ratios.append(1)
      estimates.append(corrector)
    }
    var terms = [(coefficient: step.base, tensor: x)]
    var newest = step.zeroth
    for (k, rho) in coefficients(ratios, hh: hh, b: b).enumerated() {
      let weight = scale * rho / ratios[k]
      newest -= weight
      terms += weight * estimates[k]
    }
    if let first = known.first { terms += newest * first.estimate }
    return Tensor.linearCombination(terms)
  }

  private func coefficients(_ ratios: [Double], hh: Double, b: Double) -> [Double] {
    guard ratios.count > 1 else { return ratios.map { _ in 0.5 } }
    var (phi, factorial) = (exponentialMinusOne(hh) / hh - 1, 1.0)
    var right: [Double] = []
    for i in 1...ratios.count {
      right.append(phi * factorial / b)
      factorial *= Double(i + 1)
      phi = phi / hh - 1 / factorial
    }
    let rows = (0..<ratios.count).map { i in ratios.map { power($0, Double(i)) } }
    return solved(rows, right)
  }
}
