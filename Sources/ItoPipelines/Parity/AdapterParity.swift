import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors

extension Parity.Handler {
  /// A network with an adapter at several strengths: every adapter file of the folder, beside the
  /// weights and merged into them.
  static let adapter = Parity.Handler(
    handles: { golden in
      BackboneFamily.builtin.contains { $0.className == golden.className }
        && golden.outputs.contains { $0.hasPrefix("strength_") }
    },
    run: { golden throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let network = try wrapping(PipelineError.model) { () throws(ModelError) in
        try BackboneFamily.make(golden.configuration, &initial)
      }
      return try evaluate(network, golden)
    })

  private static let files = [
    "peft": "pytorch_lora_weights.safetensors",
    "kohya": "kohya_as_written_by_diffusers.safetensors",
  ]

  private static func evaluate<B: RegisteredBackbone>(
    _ fresh: B, _ golden: GoldenFolder
  ) throws(PipelineError) -> [ParityReport] {
    let network = try loadWeights(fresh, from: golden.path + "/weights.safetensors")
    let x = try golden.tensor("in.sample").channelsLast
    let time = Tensor(
      repeating: Double(try golden.tensor("in.timestep").cast(to: .float32).item),
      shape: [x.shape[0]])
    let conditioning = try golden.conditioning()
    let scale = try scale(golden)
    var reports: [ParityReport] = []
    for (spelling, file) in files.sorted(by: { $0.key < $1.key }) {
      let adapter = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        let source = try SafeTensors(path: "\(golden.path)/\(file)")
        return try Adapter(
          try AdapterFile(source), part: "unet", of: network,
          names: AdapterNames(denoiser: network))
      }
      for output in golden.outputs where output.hasPrefix("strength_") {
        let text = output.dropFirst("strength_".count).replacing("_", with: ".")
        guard let strength = Double(text) else {
          throw .request("\(golden.path): output \"\(output)\" names no strength")
        }
        let adapted = network.applying(adapter.transform(strength: scale * strength))
        let merged = adapted.applying(AdapterMerging(dtype: .float32))
        for (way, model) in [("beside", adapted), ("merged", merged)] {
          let y = model(x, time: time, conditioning: conditioning, context: EvaluationContext())
          reports.append(
            ParityReport(
              "\(output) \(spelling) \(way)", ours: y.channelsFirst,
              golden: try golden.tensor("out.\(output)"), tolerance: networkTolerance))
        }
      }
    }
    return reports
  }

  /// The α/rank the goldens were made with, from `lora.json`. The files lack it: PEFT's have no α, and
  /// diffusers writes kohya's with α = rank.
  private static func scale(_ golden: GoldenFolder) throws(PipelineError) -> Double {
    let about = try GoldenFolder.json(golden.path + "/lora.json")
    guard let rank = about["rank"]?.double, let alpha = about["alpha"]?.double, rank > 0 else {
      throw .request("\(golden.path)/lora.json: \"rank\" and \"alpha\" must be numbers")
    }
    return alpha / rank
  }
}
