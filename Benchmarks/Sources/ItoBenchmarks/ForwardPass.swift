import ArgumentParser
import Ito

/// One evaluation with everything it depends on, for `peers/check.py`.
struct ForwardPass: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract: "Write a network's weights, an input and its output to a safetensors file.",
    discussion: """
      peers/check.py loads the weights into the peer's network and compares its output, so that what is timed \
      is the same thing. Weights that start at zero are drawn at random, or nothing behind them would count.
      """)

  @OptionGroup var options: NetworkOptions

  @Option(help: "The file to write.")
  var save: String

  @Option(help: "Samples.")
  var batch = 3

  func run() throws {
    let (network, _) = try options.build()
    try write(network)
  }

  private func write<B: RegisteredBackbone>(_ network: B) throws {
    let side = try network.benchmarkSide()
    var noise = NoiseSource(seed: 5, engine: .philox).stream(1)
    let random = network.mappingParameters { _, tensor in
      Tensor.linearCombination([(1, tensor), (0.05, noise.normal(tensor.shape))])
    }
    let x = noise.normal([batch, side, side, network.inputChannels])
    let time = Tensor((0..<batch).map { 10 + 970 * Float($0) / Float(batch) }, shape: [batch])
    let conditioning = network.benchmarkConditioning(batch: batch, tokens: options.tokens)
    let output = random(
      x, time: time, conditioning: conditioning, context: EvaluationContext())
    var tensors = random.storedTensors
    let parts: [(String, Tensor?)] = [
      ("x", x), ("time", time), ("label", conditioning.label), ("tokens", conditioning.tokens),
      ("mask", conditioning.mask), ("pooled", conditioning.pooled), ("output", output),
    ]
    for (name, tensor) in parts { tensors["benchmark.\(name)"] = tensor }
    try SafeTensors.write(tensors, to: save)
  }
}
