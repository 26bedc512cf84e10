import ItoTensors

/// A sum of tensors with weights that is computed with the step it enters, so that no pass over memory is spent
/// on it alone.
struct Estimate: Sendable {
  let terms: [(coefficient: Double, tensor: Tensor)]

  init(_ terms: [(coefficient: Double, tensor: Tensor)]) { self.terms = terms }

  init(_ tensor: Tensor) { terms = [(1, tensor)] }

  /// Its terms in a combination that it enters with the given weight.
  static func * (weight: Double, estimate: Estimate) -> [(coefficient: Double, tensor: Tensor)] {
    estimate.terms.map { (weight * $0.coefficient, $0.tensor) }
  }
}

/// The estimates of past steps, newest first, and where the run is: the memory of multistep methods.
public struct EstimateHistory: Sendable {
  /// An estimate and the level it was made at.
  struct Entry: Sendable {
    let estimate: Estimate
    let level: NoiseLevel
  }

  /// Number of steps in the run.
  let stepCount: Int
  /// The step, from 0.
  private(set) var index = 0
  /// Newest first.
  private(set) var entries: [Entry] = []

  init(for plan: SamplingPlan) { stepCount = plan.stepCount }

  /// Steps that remain, this one included.
  var remaining: Int { stepCount - index }

  /// Keeps `estimate` for the steps to come, and no more than `capacity` of them.
  mutating func record(_ estimate: Estimate, at level: NoiseLevel, capacity: Int) {
    entries.insert(Entry(estimate: estimate, level: level), at: 0)
    if entries.count > capacity { entries.removeLast(entries.count - capacity) }
  }

  /// To be called at the end of a step.
  mutating func advance() { index += 1 }

  /// The newest entries that a method in log-SNR can use, no more than `count`: those below pure noise.
  func finite(upTo count: Int) -> ArraySlice<Entry> {
    entries.prefix(count).prefix { $0.level.alpha > 0 }
  }

  /// `wanted`, or less in the last steps where that is asked for, as diffusers' DPM-Solvers do: one in
  /// the last step and at most two in the one before, in runs of fewer than 15 steps.
  func order(_ wanted: Int, loweringFinal: Bool) -> Int {
    guard loweringFinal, stepCount < 15 else { return wanted }
    return min(wanted, remaining)
  }
}

extension NoiseLevel {
  /// The noise that a clean estimate implies: `(x − alpha·clean)/sigma`.
  func noise(in x: Tensor, clean: Tensor) -> Estimate {
    Estimate([(1 / sigma, x), (-alpha / sigma, clean)])
  }
}

/// The sample at `next` along a combination of noise estimates.
///
/// `x_next = (αₙ/α_c)·x + (σₙ − σ_c·αₙ/α_c)·Σ cᵢ·εᵢ`, DDIM's transfer. From pure noise, where x says
/// nothing of the clean sample, `αₙ·clean + σₙ·Σ cᵢ·εᵢ`.
/// - Source: Liu et al. 2022, *Pseudo Numerical Methods for Diffusion Models on Manifolds*,
///   arXiv:2202.09778, equation 9, in (α, σ).
func transfer(
  _ x: Tensor, clean: Tensor, along slopes: [(weight: Double, noise: Estimate)],
  from current: NoiseLevel, to next: NoiseLevel
) -> Tensor {
  guard current.alpha > 0 else {
    return Tensor.linearCombination(
      [(next.alpha, clean)] + slopes.flatMap { next.sigma * $0.weight * $0.noise })
  }
  let ratio = next.alpha / current.alpha
  let scale = next.sigma - current.sigma * ratio
  return Tensor.linearCombination(
    [(ratio, x)] + slopes.flatMap { scale * $0.weight * $0.noise })
}

/// Adams–Bashforth's coefficients for equal steps, newest first.
///
/// - Source: Hairer, Nørsett & Wanner 1993, *Solving Ordinary Differential Equations I*, table III.1.1.
func adamsBashforth(order: Int) -> [Double] {
  switch order {
  case ...1: [1]
  case 2: [1.5, -0.5]
  case 3: [23.0 / 12, -16.0 / 12, 5.0 / 12]
  default: [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24]
  }
}
