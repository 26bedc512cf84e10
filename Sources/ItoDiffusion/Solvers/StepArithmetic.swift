import ItoTensors

extension NoiseLevel {
  /// `(σₙ/αₙ) / (σ_c/α_c)`, the share of relative noise that a step to `next` leaves: `e^{−h}` with h the
  /// step in half-log-SNR. 0 from pure noise, never divided by the alpha of this level.
  func remainder(at next: NoiseLevel) -> Double {
    // From pure noise to pure noise nothing happens.
    next.alpha == 0 ? 1 : next.sigma * alpha / (next.alpha * sigma)
  }
}

/// The variables in which a method takes a straight line for the path of a sample.
///
/// A method of exponential type (Euler, DDIM, DPM-Solver) does not depend on the choice; Heun's and
/// other Runge–Kutta and linear multistep methods do.
public enum IntegrationVariables: String, Sendable, Hashable, CaseIterable {
  /// `flow` where alpha + sigma is 1 throughout the plan, else `noiseToSignal`.
  case automatic
  /// `x / alpha` over `sigma / alpha`, as in EDM and k-diffusion. Needs alpha > 0.
  case noiseToSignal = "noise-to-signal"
  /// `x / (alpha + sigma)` over `sigma / (alpha + sigma)`: the straight lines of a flow. Defined at pure
  /// noise.
  case flow

  /// `noiseToSignal` or `flow`.
  func resolved(for plan: SamplingPlan) -> IntegrationVariables {
    guard self == .automatic else { return self }
    let isFlow = plan.levels.allSatisfy { abs($0.alpha + $0.sigma - 1) < 1e-9 }
    return isFlow ? .flow : .noiseToSignal
  }

  /// What the sample is divided by.
  func scale(_ level: NoiseLevel) -> Double {
    self == .flow ? level.alpha + level.sigma : level.alpha
  }

  /// The variable that takes the place of time. In both choices the slope of the scaled sample is
  /// `(scaled x − clean) / value`.
  func value(_ level: NoiseLevel) -> Double {
    self == .flow ? level.noiseFraction : level.noiseToSignal
  }
}

/// The sample at `next`, its noise kept but for the share `eta`, which is drawn anew.
///
/// `x_n = α_n·clean + √(σ_n² − up²)·ε̂ + up·z`, `ε̂ = (x − α_c·estimate)/σ_c`,
/// `up = eta·σ_n·√(1 − ρ²)`, ρ the remainder of the step. Eta 0 is Euler's method in the variables of
/// EDM, eta 1 a step of the reversed process.
///
/// - Parameters:
///   - estimate: the clean estimate that the noise is derived from.
///   - clean: the one that is kept; `estimate` itself unless it was clipped.
/// - Source: Song et al. 2021, *Denoising Diffusion Implicit Models*, arXiv:2010.02502, equations 12
///   and 16, in (α, σ).
func implicitStep(
  _ x: Tensor, estimate: Tensor, clean: Tensor? = nil, from current: NoiseLevel,
  to next: NoiseLevel, eta: Double = 0, noiseScale: Double = 1, noise: inout SamplingNoise
) throws(SamplingError) -> Tensor {
  let remainder = current.remainder(at: next)
  let fresh = min(next.sigma, eta * next.sigma * max(0, 1 - remainder * remainder).squareRoot())
  let kept = max(0, next.sigma * next.sigma - fresh * fresh).squareRoot() / current.sigma
  var terms = [(coefficient: kept, tensor: x)]
  if let clean {
    terms += [(-kept * current.alpha, estimate), (next.alpha, clean)]
  } else {
    terms.append((next.alpha - kept * current.alpha, estimate))
  }
  if eta > 0 {
    // Drawn even where it is not used, so that the streams do not depend on the levels.
    let drawn = try noise.normal(x.shape)
    if fresh > 0 { terms.append((fresh * noiseScale, drawn)) }
  }
  return Tensor.linearCombination(terms)
}
