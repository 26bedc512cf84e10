public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Second-order multistep solver in half-log-SNR coordinates.
///
/// λ = log(α/σ), h = λₙ − λ_c, r = (λ_c − λ_p)/h, D = (1 + 1/2r)·clean − (1/2r)·previous:
/// `x_next = (σₙ/σ_c)·x − αₙ·(e^{−h} − 1)·D`
///
/// The `heun` variant puts `−((e^{−h} − 1)/h + 1)` in the place of `(e^{−h} − 1)/2` before the difference
/// of the estimates.
/// - Order: 2 after the first step, which is first order. One evaluation a step.
/// - Domain: may start from pure noise, where the first two steps are of first order; a final sigma of
///   0 gives the clean estimate.
/// - Source: Lu et al. 2022, *DPM-Solver++*, arXiv:2211.01095, algorithm 2.
public struct DPMSolverPlusPlus2M: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++2m"
  /// What other tools call it.
  public static let aliases = ["dpmpp-2m", "DPMSolverMultistepScheduler", "dpm-solver++2m"]
  /// One line for tables.
  public static let summary = "second-order multistep in log-SNR"

  /// How the difference of two estimates is weighted.
  public var variant: DifferenceWeight
  /// Whether the last step is of first order in runs of fewer than 15 steps.
  public var lowersFinalOrder: Bool
  /// Whether the last step is of first order whatever the number of steps.
  public var endsWithEuler: Bool

  /// As diffusers has it unless told otherwise.
  public init(
    variant: DifferenceWeight = .midpoint, lowersFinalOrder: Bool = true,
    endsWithEuler: Bool = false
  ) {
    self.variant = variant
    self.lowersFinalOrder = lowersFinalOrder
    self.endsWithEuler = endsWithEuler
  }

  /// Takes the options `variant`, `lower-order-final`, `euler-at-final`.
  public init(options: inout OptionReader) throws(OptionError) {
    variant = try options.choice("variant", default: .midpoint)
    lowersFinalOrder = try options.bool("lower-order-final", default: true)
    endsWithEuler = try options.bool("euler-at-final", default: false)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: 2, source: "arXiv:2211.01095") }

  /// The estimate before the last.
  public struct Memory: Sendable {
    let stepCount: Int
    var index = 0
    var previous: (clean: Tensor, level: NoiseLevel)?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory(stepCount: plan.stepCount) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    let isLast = memory.index == memory.stepCount - 1
    let isLowered = isLast && (endsWithEuler || (lowersFinalOrder && memory.stepCount < 15))
    defer {
      memory.previous = (clean, current)
      memory.index += 1
    }
    let remainder = current.remainder(at: next)
    let h = -log(remainder)
    guard let previous = memory.previous, !isLowered, h.isFinite, h > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    // 0 when the step before started from pure noise.
    let inverseRatio = h / (current.halfLogSNR - previous.level.halfLogSNR)
    let weight =
      variant == .midpoint ? (1 - remainder) / 2 : (remainder - 1) / h + 1
    let difference = next.alpha * weight * inverseRatio
    return Tensor.linearCombination([
      (next.sigma / current.sigma, x),
      (next.alpha * (1 - remainder) + difference, clean),
      (-difference, previous.clean),
    ])
  }
}
