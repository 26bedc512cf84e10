import ItoCheckpoints
import ItoModels
import ItoModules
import ItoTensors

extension Parity.Handler {
  /// `AutoencoderKL`: the mean of a picture's latents, and a latent's picture.
  static let autoencoderKL = Parity.Handler(
    handles: { $0.className == AutoencoderKL.className },
    run: { golden throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let fresh = try wrapping(PipelineError.model) { () throws(ModelError) in
        try AutoencoderKL(configuration: golden.configuration, &initial)
      }
      let network = try loadWeights(fresh, from: golden.path + "/weights.safetensors") {
        AutoencoderKL.keyMap(for: $0)
      }.converted(to: golden.precision)
      let picture = try golden.optional("in.x"), latent = try golden.optional("in.z")
      return try golden.reports([
        "latent": picture.map { network.encode($0.channelsLast).mean.channelsFirst },
        "decoded": latent.map { network.decode($0.channelsLast).channelsFirst },
      ])
    })

  /// `AutoencoderTiny`: a picture's latent and a latent's picture.
  static let autoencoderTiny = Parity.Handler(
    handles: { $0.className == AutoencoderTiny.className },
    run: { golden throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let fresh = try wrapping(PipelineError.model) { () throws(ModelError) in
        try AutoencoderTiny(configuration: golden.configuration, &initial)
      }
      let network = try loadWeights(fresh, from: golden.path + "/weights.safetensors")
      return try golden.reports([
        "latent": network.encode(try golden.tensor("in.x").channelsLast).channelsFirst,
        "decoded": network.decode(try golden.tensor("in.z").channelsLast).channelsFirst,
      ])
    })
}
