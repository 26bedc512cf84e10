#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The coefficients of an exponential step of the reverse process with a share `eta` of its noise.
///
/// With ρ = e^{−h} the remainder of the step, a constant clean estimate gives exactly
/// `x_n = (σₙ/σ)·ρ^η·x + αₙ·(1 − ρ^{1+η})·clean + σₙ·√(1 − ρ^{2η})·z`. Eta 1 is the reverse of the noising
/// process, eta 0 its probability flow.
/// - Source: Gonzalez et al. 2023, *SEEDS*, arXiv:2305.14267; Cui et al. 2023, *Elucidating the
///   Solution Space of Extended Reverse-Time SDE*, arXiv:2309.06169.
struct StochasticStep {
  /// Weights of the sample, of the clean estimate, and of a unit normal.
  let sample: Double, clean: Double, noise: Double
  /// (1 + η)·h, the length of the step for what the estimate adds; infinite from pure noise and to
  /// none.
  let span: Double

  init(from current: NoiseLevel, to next: NoiseLevel, eta: Double) {
    let remainder = current.remainder(at: next)
    let kept = pow(remainder, eta)
    sample = next.sigma / current.sigma * kept
    clean = next.alpha * (1 - remainder * kept)
    noise = next.sigma * Swift.max(0, 1 - kept * kept).squareRoot()
    span = -(1 + eta) * log(remainder)
  }
}

/// φ₂(−H)·H-weights of exponential integrators: `1 − (1 − e^{−H})/H`.
func phi2(_ span: Double) -> Double { 1 + expm1(-span) / span }
