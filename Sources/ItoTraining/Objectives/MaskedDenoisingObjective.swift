public import ItoDiffusion
public import ItoTensors

/// Trains a denoiser of which most blocks do not see a share of the tokens.
///
/// `mean_seen(w(level)·(F − target)²) + λ·mean_hidden((F − input·x)²)`: the plain objective where tokens
/// are seen, and where they are not the network's own noisy input, reconstructed. The paper asks the clean
/// estimate to equal the noisy sample there, which a network that predicts a flow would do by giving 0.
///
/// - Source: Zheng et al. 2023, arXiv:2306.09305, equations 3 to 5.
public struct MaskedDenoisingObjective<B: Backbone>: TrainingObjective {
  /// Levels, weights, noise and dropped conditioning.
  public var plain: DenoisingObjective<B>
  /// What is hidden, and how much its reconstruction counts.
  public var masking: TokenMasking

  /// `plain` with `masking`.
  public init(_ plain: DenoisingObjective<B>, masking: TokenMasking) {
    self.plain = plain
    self.masking = masking
  }

  /// The loss; draws what the plain objective draws. What is hidden comes from a stream of its own.
  public func loss(
    of model: PreconditionedDenoiser<MaskedBackbone<B>>, on batch: ImageBatch,
    noise: inout NoiseSource
  ) -> Tensor {
    let draw = plain.draw(batch, on: model.schedule, noise: &noise)
    let (height, width) = (draw.clean.shape[1], draw.clean.shape[2])
    let patch = model.backbone.patch, standIns = model.backbone.standIns
    let tokens = standIns.shape[1]
    require(
      (height / patch) * (width / patch) == tokens,
      "a picture of \(draw.clean.shape) is not \(tokens) squares of \(patch)")
    var source = noise.stream(0)
    let hidden = masking.hidden(batch: batch.count, tokens: tokens, noise: &source)
    let terms = model.lossTerms(
      clean: draw.clean, noise: draw.noise, at: draw.levels, given: draw.conditioning,
      context: EvaluationContext(masking: masking, hidden: hidden, standIns: standIns)
    ) { plain.weight(at: $0, model.parameterization) }
    guard !hidden.isEmpty else { return (terms.error * terms.error).mean() }
    let share = Double(hidden.count) / Double(batch.count * tokens)
    let mask = pixels(of: hidden, batch: batch.count, rows: height / patch, patch: patch, tokens)
    let gap = (terms.output.cast(to: .float32) - terms.input.cast(to: .float32)) * mask
    let seen = terms.error * (1 - mask)
    return (1 / (1 - share)) * (seen * seen).mean()
      + (masking.weight / share) * (gap * gap).mean()
  }

  /// The measures of the plain objective, all tokens seen.
  public func measures(
    of model: PreconditionedDenoiser<MaskedBackbone<B>>, on batch: ImageBatch,
    noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    plain.measures(
      of: model.replacingBackbone(model.backbone.backbone), on: batch, noise: &noise)
  }

  /// 1 where the token of a pixel is hidden, `[batch, height, width, 1]`.
  private func pixels(
    of hidden: [Int32], batch: Int, rows: Int, patch: Int, _ tokens: Int
  ) -> Tensor {
    var values = [Float](repeating: 0, count: batch * tokens)
    for token in hidden { values[Int(token)] = 1 }
    let columns = tokens / rows
    return Tensor(values, shape: [batch, rows, columns, 1])
      .resizedNearest(height: rows * patch, width: columns * patch)
  }
}
