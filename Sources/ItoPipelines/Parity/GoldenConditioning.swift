import ItoDiffusion
import ItoModels
import ItoTensors

extension GoldenFolder {
  /// What a network is told beside its input and the time, from the inputs of those names.
  func conditioning() throws(PipelineError) -> Conditioning {
    var result = Conditioning(tokens: try optional("in.encoder_hidden_states"))
    result.pooled = try optional("in.added_cond_kwargs.text_embeds")
    result[ImageSizes.self] = try optional("in.added_cond_kwargs.time_ids")
    result[GuidanceEmbedding.self] = try optional("in.timestep_cond")
    if let labels = try optional("in.class_labels") {
      if labels.shape.rank > 1 { result[ClassVector.self] = labels } else { result.label = labels }
    }
    result[Control.self] = try controlResiduals()
    return result
  }

  /// What a ControlNet added to the network, kept as outputs `down.0`, `down.1`, … and `mid`.
  private func controlResiduals() throws(PipelineError) -> ControlResiduals? {
    guard let middle = try optional("out.mid") else { return nil }
    var skips: [Tensor] = []
    while let skip = try optional("out.down.\(skips.count)") { skips.append(skip.channelsLast) }
    return ControlResiduals(skips: skips, middle: middle.channelsLast)
  }
}
