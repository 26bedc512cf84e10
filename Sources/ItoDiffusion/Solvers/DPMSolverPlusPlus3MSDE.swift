public import ItoComponents
public import ItoTensors

/// Multistep solver with three estimates of the reverse process in half-log-SNR coordinates.
///
/// To the exponential step of `StochasticStep` it adds, with H = (1 + η)h, φ₂ = 1 − (1 − e^{−H})/H and
/// φ₃ = φ₂/H − ½, `αₙ·(φ₂·d₁ − φ₃·d₂)`, d₁ and d₂ the first and second differences of the last three
/// clean estimates in units of the step.
/// - Order: 2 without noise, 1 in the mean with it. As published d₂ is half the second difference that third
///   order needs, and the error of order 2 has a smaller factor. One evaluation and one draw a step.
/// - Domain: a step from pure noise and one to none are of first order.
/// - Source: `sample_dpmpp_3m_sde` of k-diffusion; Lu et al. 2022, *DPM-Solver++*, arXiv:2211.01095.
public struct DPMSolverPlusPlus3MSDE: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++3m-sde"
  /// What other tools call it.
  public static let aliases = ["dpmpp-3m-sde", "dpm++ 3m sde", "dpmpp-3m-sde-gpu"]
  /// One line for tables.
  public static let summary = "multistep in log-SNR with three estimates and noise"

  /// The noise of its steps; eta 0 is the method without.
  public var renewal: Renewal

  /// All noise new unless told otherwise.
  public init(renewal: Renewal = Renewal(eta: 1)) { self.renewal = renewal }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    renewal = try Renewal(options: &options, eta: 1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: renewal.eta > 0 ? 1 : 2, isStochastic: renewal.eta > 0, source: "arXiv:2211.01095")
  }

  /// The last estimates, newest first, and their half-log-SNR.
  public struct Memory: Sendable {
    var history: [(clean: Tensor, position: Double)] = []
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory() }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let (eta, noiseScale) = (renewal.eta, renewal.noiseScale)
    let clean = try denoise(x, current)
    let step = StochasticStep(from: current, to: next, eta: eta)
    let h = step.span / (1 + eta)
    var weights = [step.clean, 0, 0]
    if step.span.isFinite, step.span > 0, let first = memory.history.first {
      let r0 = (current.halfLogSNR - first.position) / h
      let second = phi2(step.span)
      // (D₀ − D₁)/r₀
      var d1 = [1 / r0, -1 / r0, 0]
      if memory.history.count > 1 {
        let r1 = (first.position - memory.history[1].position) / h
        let before = [0, 1 / r1, -1 / r1]
        let bend = (0..<3).map { d1[$0] - before[$0] }
        let third = second / step.span - 0.5
        d1 = (0..<3).map { d1[$0] + bend[$0] * r0 / (r0 + r1) }
        for k in 0..<3 { weights[k] -= next.alpha * third * bend[k] / (r0 + r1) }
      }
      for k in 0..<3 { weights[k] += next.alpha * second * d1[k] }
    }
    var terms = [(coefficient: step.sample, tensor: x), (weights[0], clean)]
    for (k, entry) in memory.history.enumerated() where weights[k + 1] != 0 {
      terms.append((weights[k + 1], entry.clean))
    }
    if eta > 0 { terms.append((step.noise * noiseScale, try noise.normal(x.shape))) }
    // From pure noise the position is not finite and tells later steps nothing.
    if current.alpha > 0 {
      memory.history.insert((clean, current.halfLogSNR), at: 0)
      if memory.history.count > 2 { memory.history.removeLast() }
    }
    return Tensor.linearCombination(terms)
  }
}
