import ItoDiffusion
import ItoTensors

/// A solver that redraws part of a picture: after each step the rest is set to the given picture at the
/// noise level reached.
///
/// `x ← mask·x + (1 − mask)·(alpha·clean + sigma·noise)`, with the noise that the run began with.
///
/// - Source: the rule of Lugmayr et al. 2022, *RePaint*, arXiv:2201.09865, equation 8, with one fixed
///   noise as in diffusers' `StableDiffusionInpaintPipeline`, for networks that were not trained to
///   repaint.
struct RepaintingSolver<Base: Solver>: Solver {
  let base: Base
  /// 1 where the picture is redrawn, `[1, height, width, 1]`.
  let mask: Tensor
  /// The picture's latents, and the noise, `[batch, height, width, channels]`.
  let clean: Tensor, noise: Tensor

  /// The base's memory, and the levels still to be reached.
  struct Memory {
    var base: Base.Memory
    var ahead: ArraySlice<NoiseLevel>
  }

  var traits: SolverTraits { base.traits }

  func validate(_ plan: SamplingPlan) throws(SamplingError) { try base.validate(plan) }

  func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(base: base.makeMemory(for: plan), ahead: plan.levels.dropFirst())
  }

  func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise drawn: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let stepped = try base.step(
      x, from: current, to: next, memory: &memory.base, noise: &drawn, denoise: denoise)
    // Where the next step starts, which is not always where this one aims. The last one ends clean.
    let reached = memory.ahead.popFirst() ?? next
    let level = memory.ahead.isEmpty ? NoiseLevel.clean : reached
    let kept = level.mix(clean: clean, noise: noise)
    return kept + mask * (stepped - kept)
  }
}

extension Solver {
  /// The same method, redrawing only where `mask` is 1.
  func repainting(mask: Tensor, clean: Tensor, noise: Tensor) -> any Solver {
    RepaintingSolver(base: self, mask: mask, clean: clean, noise: noise)
  }
}
