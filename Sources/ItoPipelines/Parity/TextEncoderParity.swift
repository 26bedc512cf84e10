import ItoCheckpoints
import ItoModels
import ItoModules
import ItoTensors

extension Parity.Handler {
  /// CLIP's text encoders: the last layer, the one before, the summary.
  static let clipText = Parity.Handler(
    handles: { golden in
      [CLIPTextEncoder.className, CLIPTextEncoder.projectedClassName].contains(golden.className)
    },
    run: { golden throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let fresh = try wrapping(PipelineError.model) { () throws(ModelError) in
        try CLIPTextEncoder(configuration: golden.configuration, &initial)
      }
      let encoder = try loadWeights(fresh, from: golden.path + "/weights.safetensors") {
        CLIPTextEncoder.keyMap(for: $0)
      }
      let ids = try golden.tensor("in.input_ids")
      let last = encoder(ids: ids)
      let penultimate = encoder(ids: ids, skip: 1, normalised: false)
      let ours = [
        "last_hidden_state": last.hidden, "penultimate": penultimate.hidden,
        "pooler_output": last.pooled, "text_embeds": last.projected,
      ]
      return try golden.reports(ours)
    })
}
