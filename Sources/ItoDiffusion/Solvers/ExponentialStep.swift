#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What an estimate enters a step of DPM-Solver as.
public enum SolverPrediction: String, Sendable, Hashable, CaseIterable {
  /// Clean estimates (DPM-Solver++).
  case clean
  /// Noise estimates (DPM-Solver).
  case noise
}

/// How the first difference of estimates is weighted.
public enum DifferenceWeight: String, Sendable, Hashable, CaseIterable {
  /// As if the estimate halfway were known.
  case midpoint
  /// By the integral of a straight line.
  case heun
}

/// The coefficients of one step of DPM-Solver from `base` to `next`:
/// `x_next = x·base + zeroth·D₀ + first·D₁ + second·D₂ + noise·z`, D the estimates' divided differences.
///
/// Clean estimates, with h the step in half-log-SNR, H = (1 + η)·h and f = e^{−H} − 1:
/// x (σₙ/σ_c)·e^{−ηh}, D₀ −αₙ·f, D₁ −αₙ·f/2 (midpoint) or αₙ·(f/H + 1), D₂ −αₙ·((f + H)/H² − ½),
/// z σₙ·√(1 − e^{−2ηh}). Noise estimates, with f = e^h − 1 and F = 1 + η: x αₙ/α_c, D₀ −F·σₙ·f,
/// D₁ −F·σₙ·f/2 or −F·σₙ·(f/h − 1), D₂ −F·σₙ·((f − h)/h² − ½), z σₙ·√(η·(e^{2h} − 1)).
/// - Source: Lu et al. 2022, arXiv:2206.00927 (equations 3.7, B.2–B.5) and arXiv:2211.01095 (section 4,
///   appendix B); with noise: section 3.4 there and `sample_dpmpp_2m_sde`, `sample_dpmpp_3m_sde` of
///   k-diffusion.
struct ExponentialStep {
  let base: Double
  let zeroth: Double
  let noise: Double
  private let midpoint: Double
  private let line: Double
  let second: Double
  /// The step in half-log-SNR; infinite to or from an end of the process.
  let h: Double

  init(
    from current: NoiseLevel, to next: NoiseLevel, prediction: SolverPrediction, eta: Double = 0
  ) {
    let remainder = current.remainder(at: next)
    h = -log(remainder)
    switch prediction {
    case .clean:
      let kept = eta == 0 ? 1 : pow(remainder, eta)
      let f = remainder * kept - 1
      let total = (1 + eta) * h
      base = next.sigma / current.sigma * kept
      zeroth = -next.alpha * f
      midpoint = -next.alpha * f / 2
      line = next.alpha * (f / total + 1)
      second = -next.alpha * ((f + total) / (total * total) - 0.5)
      noise = next.sigma * max(0, 1 - kept * kept).squareRoot()
    case .noise:
      // sigma·e^h = sigma/remainder without the division, which may be of 0 by 0.
      let far = next.alpha * current.sigma / current.alpha
      let scale = 1 + eta
      base = next.alpha / current.alpha
      zeroth = -scale * (far - next.sigma)
      midpoint = zeroth / 2
      line = -scale * ((far - next.sigma) / h - next.sigma)
      second = -scale * ((far - next.sigma - next.sigma * h) / (h * h) - next.sigma / 2)
      noise = (eta * max(0, far * far - next.sigma * next.sigma)).squareRoot()
    }
  }

  /// Coefficient of D₁.
  func first(_ weight: DifferenceWeight) -> Double { weight == .midpoint ? midpoint : line }
}
