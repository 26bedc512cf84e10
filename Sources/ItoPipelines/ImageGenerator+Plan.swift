public import ItoComponents
public import ItoDiffusion
import ItoTensors

extension ImageGenerator {
  /// The steps, method and guidance that `request` comes down to.
  public func plan(
    for request: GenerationRequest
  ) throws(PipelineError) -> (plan: SamplingPlan, solver: any Solver, guidance: any Guidance) {
    var sampler = self.sampler
    let choice = request.guidance ?? defaults.guidance
    let guidance = try wrapping(PipelineError.option) { () throws(OptionError) in
      if let solver = request.solver {
        sampler.solver = try Registry<any Solver>.builtin.make(solver)
      }
      if let spacing = request.spacing {
        sampler.spacing = try Registry<any StepSpacing>.builtin.make(spacing)
      }
      return takesGuidanceScale
        ? NoGuidance() : try Registry<any Guidance>.builtin.make(choice)
    }
    let size = size(for: request)
    let shape = try layout.shape(height: size.height, width: size.width, count: 1)
    let steps = request.steps ?? defaults.steps
    var plan = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
      try sampler.plan(steps: steps, tokens: shape[1] * shape[2])
    }
    if request.start?.picture != nil, let strength = request.start?.strength {
      plan = plan.trimmed(strength: strength)
      guard plan.stepCount > 0 else {
        throw .request(
          "a strength of \(strength) leaves none of \(steps) steps; give at least "
            + "\(Double(steps > 1 ? 100 / steps + 1 : 100) / 100)")
      }
    }
    plan = plan.part(request.part)
    guard plan.stepCount > 0 else {
      throw .request("no step of \(steps) lies in the part \(request.part) of the run")
    }
    return (plan, sampler.solver, guidance)
  }

  /// The size that is drawn: asked for, that of the picture to start from, or the model's own.
  public func size(for request: GenerationRequest) -> PixelSize {
    let natural = request.start?.naturalSize(multiple: layout.multiple)
    return PixelSize(
      height: request.height ?? natural?.height ?? defaults.height,
      width: request.width ?? natural?.width ?? defaults.width)
  }

  /// What networks are told of the picture.
  func facts(for request: GenerationRequest, _ size: PixelSize) -> PictureFacts {
    var facts = request.facts ?? PictureFacts(height: size.height, width: size.width)
    (facts.height, facts.width) = (size.height, size.width)
    let guidance = request.guidance ?? defaults.guidance
    facts.isGuided = !takesGuidanceScale && guidance.name != NoGuidance.name
    switch guidance.options["scale"] {
    case .double(let scale)?: facts.guidanceScale = scale
    case .int(let scale)?: facts.guidanceScale = Double(scale)
    default: break
    }
    return facts
  }
}

extension SamplingPlan {
  /// The steps that start in the given part of the way from noise to picture.
  ///
  /// With T timesteps, `a...b` are those that start below timestep T·(1 − a), rounded, and not below
  /// T·(1 − b): diffusers' `denoising_start` and `denoising_end`, so that a refiner begins where the
  /// base model stopped.
  func part(_ part: ClosedRange<Double>) -> SamplingPlan {
    if part == 0...1 { return self }
    let total = Double(schedule.timestepCount ?? 1000)
    func cutoff(_ share: Double) -> Double { (total - share * total).rounded(.toNearestOrEven) }
    let (high, low) = (cutoff(part.lowerBound), cutoff(part.upperBound))
    let kept = (0..<stepCount).filter { index in
      let timestep = levels[index].time * total - 1
      // Times are multiples of 1/T up to rounding.
      return timestep < high - 1e-6 && timestep >= low - 1e-6
    }
    guard let first = kept.first, let last = kept.last else {
      return SamplingPlan(levels: [], schedule: schedule)
    }
    return SamplingPlan(
      levels: Array(levels[first...(last + 1)]), targets: targets.map { Array($0[first...last]) },
      schedule: schedule)
  }
}

extension ImageGenerator {
  /// Classifier-free guidance by `scale` as diffusers' `guidance_scale` means it: one pass with what was
  /// asked for up to scale 1.
  public func guidance(scale: Double) -> ComponentChoice {
    scale <= 1 && !takesGuidanceScale
      ? ComponentChoice("none") : ComponentChoice("cfg", options: ["scale": .double(scale)])
  }

  /// Classifier-free guidance by `scale` with what the network predicts rescaled, as diffusers'
  /// `guidance_rescale` means it.
  public func guidance(scale: Double, rescale: Double) -> ComponentChoice {
    guard rescale > 0, scale > 1, !takesGuidanceScale else { return guidance(scale: scale) }
    let quantity: RescaledGuidance.Quantity =
      switch sampler.parameterization {
      case is NoisePrediction: .noise
      case is VPrediction: .velocity
      default: .clean
      }
    return ComponentChoice(
      RescaledGuidance.name,
      options: [
        "scale": .double(scale), "rescale": .double(rescale), "of": .string(quantity.rawValue),
      ])
  }
}
