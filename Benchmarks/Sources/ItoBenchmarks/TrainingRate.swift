import ArgumentParser
import Ito

/// Training throughput: what `peers/train_peer.py` measures of PyTorch.
struct TrainingRate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Training throughput of a network.",
    discussion: """
      One step gathers a batch of uint8 pictures, scales it, draws noise and times, forms \
      x = (1 - t) clean + t noise, takes the mean squared error of the velocity, its gradient, clips, and \
      updates by the optimizer and the moving average.
      """)

  @OptionGroup var options: NetworkOptions

  @Option(help: "Pictures in a step.")
  var batch = 128

  @Option(help: "adamw or muon.")
  var optimizer = "adamw"

  @Option(help: "Steps that are not counted.")
  var warmUp = 3

  @Option(help: "Steps that are.")
  var steps = 10

  @Flag(help: "Then list each kind of operation of one more step, one JSON object a line.")
  var profile = false

  func run() throws {
    let (network, dtype) = try options.build()
    try measure(network, dtype)
  }

  private func chosenOptimizer() throws -> any Optimizer {
    switch optimizer {
    case "adamw": AdamW(weightDecay: 0.01)
    case "muon": Muon(weightDecay: 0.01)
    default: throw ValidationError("--optimizer \(optimizer): adamw and muon are measured")
    }
  }

  private func measure<B: RegisteredBackbone>(_ network: B, _ dtype: DType) throws {
    let side = try network.benchmarkSide()
    let count = 4096
    var bytes = Bytes(seed: 1)
    let pixels = Tensor(
      (0..<count * side * side * network.inputChannels).map { _ in bytes.next() },
      shape: [count, side, side, network.inputChannels])
    let classes = Int32(network.benchmarkClasses)
    let labels =
      network.classCount == nil ? [] : (0..<count).map { _ in Int32(bytes.next()) % classes }
    let data = try ImageBatches(ImageSet(pixels: pixels, labels: labels), seed: 0)
    let prompts = network.benchmarkConditioning(batch: batch, tokens: options.tokens)
    var trainer = Trainer(
      network.flow(dtype), objective: DenoisingObjective<B>(isStratified: false),
      optimizer: try chosenOptimizer(),
      learningRate: LearningRate(peak: 1e-4, totalSteps: 1_000_000),
      options: TrainerOptions(
        clipNorm: 1, weightType: dtype, averages: [ExponentialProfile(decay: 0.999)]))
    var losses: [Double] = []
    func step() throws {
      var pictures = data.batch(at: losses.count * batch, count: batch)
      if network.classCount == nil { pictures.conditioning = prompts }
      losses.append(try trainer.step([pictures]).loss)
    }
    let timings = try clock(warmUp: warmUp, repeats: steps, step)
    options.report(
      "train", batch: batch, parameters: network.parameterCount, timings,
      [
        "optimizer": .string(optimizer), "first_loss": .rounded(losses.first ?? .nan),
        "last_loss": .rounded(losses.last ?? .nan),
      ])
    guard profile else { return }
    let begin = wallSeconds()
    let entries = try Profile.recording(step).entries
    let total = wallSeconds() - begin
    for entry in entries {
      emit([
        "operation": .string(entry.operation), "calls": .integer(Int64(entry.calls)),
        "seconds": .rounded(entry.seconds), "share": .rounded(entry.seconds / total, 3),
        "gflops": .rounded(entry.flops / entry.seconds * 1e-9, 3),
        "gb_per_second": .rounded(entry.bytes / entry.seconds * 1e-9, 3),
      ])
    }
    let rest = total - entries.reduce(0) { $0 + $1.seconds }
    emit([
      "operation": "none of these", "seconds": .rounded(rest), "share": .rounded(rest / total, 3),
    ])
  }
}
