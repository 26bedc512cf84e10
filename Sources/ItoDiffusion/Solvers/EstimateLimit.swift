public import ItoTensors

/// What clean estimates are kept within.
public enum EstimateLimit: Sendable, Hashable {
  /// Within ± a bound.
  case range(Double)
  /// Dynamic thresholding: within ± s, then divided by s, where s is the given quantile of a sample's absolute
  /// values, kept within 1 and `greatest`.
  ///
  /// - Source: Saharia et al. 2022, *Photorealistic Text-to-Image Diffusion Models with Deep Language
  ///   Understanding* (Imagen), arXiv:2205.11487, section 2.3.
  case quantile(Double, greatest: Double)

  /// `clean` within the limit, `[batch, …]`; each sample by itself.
  public func callAsFunction(_ clean: Tensor) -> Tensor {
    switch self {
    case .range(let bound): return clean.clamped(to: -bound...bound)
    case .quantile(let share, let greatest):
      let batch = clean.shape[0]
      let width = clean.shape.count / max(1, batch)
      let sizes = clean.abs().scalars
      let samples = (0..<batch).map { sample -> Tensor in
        let sorted = sizes[sample * width..<(sample + 1) * width].sorted()
        let bound = min(max(1, quantile(share, of: sorted)), greatest)
        return (1 / bound) * clean.sliced(sample..<sample + 1, axis: 0).clamped(to: -bound...bound)
      }
      return batch == 1 ? samples[0] : Tensor.concatenated(samples, axis: 0)
    }
  }

  /// The value that a share of the `sorted` ones lies below, in between by a straight line.
  private func quantile(_ share: Double, of sorted: [Float]) -> Double {
    guard let last = sorted.last else { return 1 }
    let place = share * Double(sorted.count - 1)
    let index = Int(place)
    guard index + 1 < sorted.count else { return Double(last) }
    let (low, high) = (Double(sorted[index]), Double(sorted[index + 1]))
    return low + (high - low) * (place - Double(index))
  }
}

extension DenoiseFunction {
  /// The same with estimates kept within `limit`.
  func limited(to limit: EstimateLimit) -> DenoiseFunction {
    DenoiseFunction(together: { (queries) throws(SamplingError) in
      try self.together(queries).map { limit($0) }
    })
  }
}

/// A solver that sees estimates kept within a limit only: noise estimates are derived from them too.
struct LimitedSolver<Base: Solver>: Solver {
  let base: Base
  let limit: EstimateLimit

  var traits: SolverTraits { base.traits }

  func validate(_ plan: SamplingPlan) throws(SamplingError) { try base.validate(plan) }

  func makeMemory(for plan: SamplingPlan) -> Base.Memory { base.makeMemory(for: plan) }

  func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Base.Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    try base.step(
      x, from: current, to: next, memory: &memory, noise: &noise,
      denoise: denoise.limited(to: limit))
  }
}

extension Solver {
  /// The method on estimates kept within `limit`; itself where there is none.
  func limited(to limit: EstimateLimit?) -> any Solver {
    limit.map { LimitedSolver(base: self, limit: $0) } ?? self
  }
}
