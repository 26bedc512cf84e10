import ItoCheckpoints
import ItoDiffusion
import ItoModels
import ItoModules
public import ItoTensors

/// Runs goldens of other implementations through ours.
public enum Parity {
  /// Compares everything in the golden `folder`.
  ///
  /// - Parameters:
  ///   - model: for goldens of whole pipelines, another form of the folder's model: one file.
  ///   - precision: what networks and autoencoders compute in. In bfloat16 the golden holds what the other
  ///     implementation gets in it, `out.bf16.NAME`; ours may be half as much again off `out.NAME`.
  /// - Throws: `PipelineError.request` when its class is not supported, naming it.
  public static func check(
    _ folder: String, model: String? = nil, precision: DType = .float32
  ) throws(PipelineError) -> [ParityReport] {
    var golden = try GoldenFolder(folder)
    golden.model = model
    golden.precision = precision
    guard let handler = handlers.first(where: { $0.handles(golden) }) else {
      let name = golden.className.map { "class \"\($0)\"" } ?? "a golden without a class"
      throw .request("\(folder): \(name) is not supported")
    }
    return try handler.run(golden)
  }

  /// A kind of golden.
  struct Handler: Sendable {
    let handles: @Sendable (GoldenFolder) -> Bool
    let run: @Sendable (GoldenFolder) throws(PipelineError) -> [ParityReport]
  }

  /// Every kind of golden that can be run.
  static let handlers: [Handler] = [
    .pipeline,
    .noise, .backbone, .scheduler,
    .clipText, .bert,
    .autoencoderKL, .autoencoderTiny,
    .adapter,
  ]
}

extension Parity.Handler {
  /// Denoising networks, by the registry of classes.
  static let backbone = Parity.Handler(
    handles: { golden in
      BackboneFamily.builtin.contains { $0.className == golden.className }
        && golden.source.keys.contains("out.sample")
    },
    run: { golden throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let network = try wrapping(PipelineError.model) { () throws(ModelError) in
        try BackboneFamily.make(golden.configuration, &initial)
      }
      return [try evaluate(network, golden)]
    })

  private static func evaluate<B: RegisteredBackbone>(
    _ network: B, _ golden: GoldenFolder
  ) throws(PipelineError) -> ParityReport {
    let network = try loadWeights(network, from: golden.path + "/weights.safetensors")
      .converted(to: golden.precision)
    let name = golden.source.keys.contains("in.sample") ? "in.sample" : "in.hidden_states"
    let x = try golden.tensor(name).channelsLast
    var time = try golden.tensor("in.timestep").cast(to: .float32)
    if time.shape.count == 1 { time = Tensor(repeating: Double(time.item), shape: [x.shape[0]]) }
    let y = network(
      x, time: time, conditioning: try golden.conditioning(), context: EvaluationContext())
    return ParityReport(
      "sample", ours: y.channelsFirst.cast(to: .float32), golden: try golden.tensor("out.sample"),
      tolerance: try golden.tolerance(of: "sample"))
  }

  /// `torch.randn` and `torch.rand` on the CPU: every bit must agree.
  static let noise = Parity.Handler(
    handles: { golden in
      golden.className == nil && golden.outputs.contains { $0.hasPrefix("seed") }
    },
    run: { golden throws(PipelineError) in
      var reports: [ParityReport] = []
      for output in golden.outputs {
        let expected = try golden.tensor("out.\(output)")
        let parts = output.split(separator: ".")
        guard parts.count == 2, let seed = UInt64(parts[0].dropFirst(4)) else {
          throw .request("\(golden.path): output \"\(output)\" is not seedS.nN, .then or .randN")
        }
        var source = NoiseSource(seed: seed)
        let kind = parts[1], ours: Tensor
        if kind == "then" {
          ours = Tensor.concatenated([20, 7, 16].map { source.normal([$0]) }, axis: 0)
        } else if kind.hasPrefix("rand") {
          ours = source.uniform(expected.shape)
        } else {
          ours = source.normal(expected.shape)
        }
        reports.append(ParityReport(output, ours: ours, golden: expected, tolerance: nil))
      }
      return reports
    })

  /// Whole trajectories of solvers on a closed-form network.
  static let scheduler = Parity.Handler(
    handles: { golden in golden.source.keys.contains("out.x") && golden.className != nil },
    run: { golden throws(PipelineError) in
      let initial = try golden.tensor("in.x0"), drawn = try golden.optional("out.noise")
      let trajectory = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try SchedulerParity(golden.configuration).trajectory(from: initial, drawn: drawn)
      }
      return [
        ParityReport(
          "timesteps", ours: trajectory.timesteps, golden: try golden.tensor("out.timesteps"),
          tolerance: trajectoryTolerance),
        ParityReport(
          "x", ours: trajectory.samples, golden: try golden.tensor("out.x"),
          tolerance: trajectoryTolerance),
      ]
    })
}
