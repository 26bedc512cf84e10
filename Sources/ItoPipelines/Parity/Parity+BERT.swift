import ItoModels
import ItoModules
import ItoTensors

extension Parity.Handler {
  /// The text encoder BERT.
  static let bert = Parity.Handler(
    handles: { $0.className == BERT.className && $0.outputs.contains("last_hidden_state") },
    run: { golden throws(PipelineError) in
      let network = try wrapping(PipelineError.model) { () throws(ModelError) in
        var initial = ParameterInitializer.placeholder
        return try BERT(configuration: golden.configuration, &initial)
      }
      let encoder = try loadWeights(
        network, from: golden.path + "/weights.safetensors", unused: BERT.unusedKeys)
      let mask = try golden.optional("in.attention_mask").map {
        Tensor($0.integers.map { $0 != 0 }, shape: $0.shape)
      }
      let hidden = encoder(try golden.tensor("in.input_ids"), mask: mask)
      let expected = try golden.tensor("out.last_hidden_state")
      return [
        ParityReport(
          "last_hidden_state", ours: hidden, golden: expected, tolerance: networkTolerance)
      ]
    })
}
