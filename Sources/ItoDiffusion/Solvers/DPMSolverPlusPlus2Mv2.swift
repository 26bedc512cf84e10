public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A variant of DPM-Solver++(2M) for uneven steps that tools offer as "2M v2".
///
/// With h and h₁ the step and the one before in half-log-SNR, g = (h + h₁)/2 and r = max(h, h₁)/min(h, h₁):
/// `x_next = (σₙ/σ_c)·x − αₙ·(e^{−g} − 1)·((1 + 1/2r)·clean − (1/2r)·previous)`. For equal steps it is 2M.
/// - Order: 2 for equal steps in log-SNR; not consistent where steps differ by a constant factor.
/// - Domain: steps from pure noise and to sigma 0 are of first order.
/// - Source: the discussion "DPM++ 2M v2" of A1111's project and stable-diffusion.cpp; there is no paper.
public struct DPMSolverPlusPlus2Mv2: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++2m-v2"
  /// What other tools call it.
  public static let aliases = ["dpm++2mv2", "dpmpp-2m-v2"]
  /// One line for tables.
  public static let summary = "2M with the mean of two steps, a variant without a paper"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: 2, source: "stable-diffusion.cpp") }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    memory.record(Estimate(clean), at: current, capacity: 2)
    let known = Array(memory.finite(upTo: 2))
    guard known.count == 2, next.sigma > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let h = next.halfLogSNR - current.halfLogSNR
    let before = current.halfLogSNR - known[1].level.halfLogSNR
    let weight = min(h, before) / max(h, before) / 2
    let scale = -next.alpha * expm1(-(h + before) / 2)
    return Tensor.linearCombination(
      [(next.sigma / current.sigma, x), (scale * (1 + weight), clean)]
        + -scale * weight * known[1].estimate)
  }
}
