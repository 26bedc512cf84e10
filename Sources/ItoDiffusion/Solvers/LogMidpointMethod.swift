import ItoTensors

/// A method of two evaluations a step, the second halfway in log-SNR after a step of DDIM's.
protocol LogMidpointMethod: Solver where Memory == SamplingPlan {
  /// The noise of its steps.
  var renewal: Renewal { get }
  /// The sample at the step's end but for the noise, as a combination.
  ///
  /// - Parameters:
  ///   - middle: the sample halfway, its estimate and its level.
  ///   - down: sigma/alpha that the part without noise goes to.
  func end(
    from x: Tensor, by middle: Midpoint, down: Double, _ current: NoiseLevel, _ next: NoiseLevel
  ) -> [(coefficient: Double, tensor: Tensor)]
}

/// What is known halfway through a step.
struct Midpoint {
  let sample: Tensor
  let clean: Tensor
  let level: NoiseLevel
}

extension LogMidpointMethod {
  /// The memory at the beginning of a run: the schedule, for levels between the plan's.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    let (eta, noiseScale) = (renewal.eta, renewal.noiseScale)
    let split = AncestralSplit(from: current, to: next, eta: eta)
    guard current.alpha > 0, split.down > 0 else {
      return try implicitStep(
        x, estimate: clean, from: current, to: next, eta: next.sigma > 0 ? eta : 0,
        noiseScale: noiseScale, noise: &noise)
    }
    let level = plan.schedule.level(
      noiseToSignal: (current.noiseToSignal * split.down).squareRoot())
    let sample = try implicitStep(x, estimate: clean, from: current, to: level, noise: &noise)
    let middle = Midpoint(sample: sample, clean: try denoise(sample, level), level: level)
    var terms = end(from: x, by: middle, down: split.down, current, next)
    if eta > 0 {
      terms.append((next.alpha * split.up * noiseScale, try noise.normal(x.shape)))
    }
    return Tensor.linearCombination(terms)
  }
}
