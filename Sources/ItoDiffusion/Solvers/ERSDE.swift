public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Solver of the extended reverse process whose noise is chosen by a function of the level, multistep
/// with one to three stages.
///
/// With ℓ = σ/α, φ(ℓ) = ℓ·(e^{ℓ^0.3} + 10), r = φ(ℓₙ)/φ(ℓ), δ = ℓₙ − ℓ and D′, D″ the divided differences
/// of the clean estimates in ℓ:
/// `x_n = αₙ·((r/α)·x + (1 − r)·D + (δ + S₁φ(ℓₙ))·D′ + (δ²/2 + S₂φ(ℓₙ))·D″ + √(ℓₙ² − r²ℓ²)·z)`,
/// `S₁ = ∫ dℓ/φ`, `S₂ = ∫ (ℓ − ℓ_c)/φ dℓ` from ℓₙ to ℓ_c.
/// With φ(ℓ) = ℓ there is no noise, and the process is the probability flow.
/// - Order: the number of stages on the flow, but 2 with three, since D′ is the difference of two estimates and
///   not the slope at the newer; 1 in the mean with noise. One evaluation and one draw a step.
/// - Domain: a step from pure noise and one to none are of first order.
/// - Source: Cui et al. 2023, *Elucidating the Solution Space of Extended Reverse-Time SDE for
///   Diffusion Models*, arXiv:2309.06169, algorithms 1 to 3, the noise scale ER-SDE 5 and ER-ODE. Differs from
///   the authors' program in that the integrals are by Gauss–Legendre quadrature instead of sums of
///   rectangles.
public struct ERSDE: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "er-sde"
  /// What other tools call it.
  public static let aliases = ["er-sde-3", "er-sde-solver"]
  /// One line for tables.
  public static let summary = "multistep with noise chosen by the level"

  /// Number of estimates a step looks at, 1 to 3.
  public var stages: Int
  /// Scale of the noise. 0 leaves it out of a process that needs it; the flow has none by itself.
  public var noiseScale: Double
  /// Whether the process is the probability flow.
  public var isFlow: Bool

  /// Three stages and all of the noise unless told otherwise.
  public init(stages: Int = 3, noiseScale: Double = 1, isFlow: Bool = false) {
    self.stages = stages
    self.noiseScale = noiseScale
    self.isFlow = isFlow
  }

  /// Takes the options `stages`, `noise-scale`, `flow`.
  public init(options: inout OptionReader) throws(OptionError) {
    stages = try options.int("stages", default: 3, in: 1...3)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
    isFlow = try options.bool("flow", default: false)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: isFlow ? min(2, stages) : 1, isStochastic: noiseScale > 0 && !isFlow,
      source: "arXiv:2309.06169")
  }

  /// The last estimates, newest first, with their σ/α.
  public struct Memory: Sendable {
    var history: [(clean: Tensor, ratio: Double)] = []
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory() }

  /// φ: how fast the share of old noise falls.
  private func scale(_ ratio: Double) -> Double {
    isFlow ? ratio : ratio * (exp(pow(ratio, 0.3)) + 10)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    let (from, to) = (current.noiseToSignal, next.noiseToSignal)
    let isPlain = to == 0 || !from.isFinite || from == to
    let kept = to == from ? 1 : isPlain ? 0 : scale(to) / scale(from)
    var weights = [1 - kept, 0, 0]
    if !isPlain, stages > 1, let first = memory.history.first {
      let delta = to - from
      let inverse = integral(from: to, to: from) { 1 / scale($0) }
      // D′ = (D₀ − D₁)/(ℓ₀ − ℓ₁)
      let slope = delta + inverse * scale(to)
      let span = from - first.ratio
      weights[0] += slope / span
      weights[1] -= slope / span
      if stages > 2, memory.history.count > 1 {
        let older = memory.history[1]
        let bend =
          delta * delta / 2 + scale(to) * integral(from: to, to: from) { ($0 - from) / scale($0) }
        // D″ = 2·(D′ − D′ before)/(ℓ₀ − ℓ₂)
        let (half, before) = ((from - older.ratio) / 2, first.ratio - older.ratio)
        weights[0] += bend / half / span
        weights[1] -= bend / half * (1 / span + 1 / before)
        weights[2] += bend / half / before
      }
    }
    var terms = [
      (coefficient: isPlain && kept == 0 ? 0 : next.alpha * kept / current.alpha, tensor: x),
      (next.alpha * weights[0], clean),
    ]
    for (k, entry) in memory.history.enumerated() where weights[k + 1] != 0 {
      terms.append((next.alpha * weights[k + 1], entry.clean))
    }
    if noiseScale > 0, !isFlow {
      let fresh = isPlain ? (kept == 1 ? 0 : to * to) : to * to - kept * kept * from * from
      terms.append(
        (next.alpha * Swift.max(0, fresh).squareRoot() * noiseScale, try noise.normal(x.shape)))
    }
    if from.isFinite {
      memory.history.insert((clean, from), at: 0)
      if memory.history.count > 2 { memory.history.removeLast() }
    }
    return Tensor.linearCombination(terms)
  }
}

/// `∫ f` from `a` to `b` > `a` > 0, by Gauss–Legendre quadrature in four pieces of equal ratio.
private func integral(from a: Double, to b: Double, _ f: (Double) -> Double) -> Double {
  let nodes = [
    0.1488743389816312, 0.4333953941292472, 0.6794095682990244, 0.8650633666889845,
    0.9739065285171717,
  ]
  let weights = [
    0.2955242247147529, 0.2692667193099963, 0.2190863625159820, 0.1494513491505806,
    0.0666713443086881,
  ]
  let pieces = 4
  var sum = 0.0
  for piece in 0..<pieces {
    let low = a * pow(b / a, Double(piece) / Double(pieces))
    let high = a * pow(b / a, Double(piece + 1) / Double(pieces))
    let (middle, half) = ((low + high) / 2, (high - low) / 2)
    for (node, weight) in zip(nodes, weights) {
      sum += weight * half * (f(middle + half * node) + f(middle - half * node))
    }
  }
  return sum
}
