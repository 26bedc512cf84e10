import ArgumentParser
import Ito

/// Sampling rate: what `peers/sample_peer.py` measures of PyTorch.
struct SamplingRate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Pictures a second by Euler steps of the flow from noise to data.")

  @OptionGroup var options: NetworkOptions

  @Option(help: "Pictures drawn together.")
  var batch = 64

  @Option(help: "Solver steps.")
  var steps = 20

  @Option(help: "Runs that are not counted.")
  var warmUp = 1

  @Option(help: "Runs that are.")
  var runs = 3

  func run() throws {
    let (network, dtype) = try options.build()
    try measure(network, dtype)
  }

  private func measure<B: RegisteredBackbone>(_ network: B, _ dtype: DType) throws {
    let side = try network.benchmarkSide()
    let denoiser = network.converted(to: dtype).flow(dtype)
    let shape: Shape = [batch, side, side, network.inputChannels]
    let conditioning = network.benchmarkConditioning(batch: batch, tokens: options.tokens)
    let plan = try SamplingPlan(
      steps: steps, spacing: UniformSpacing(), schedule: RectifiedFlow())
    var seed: UInt64 = 0
    let timings = try clock(warmUp: warmUp, repeats: runs) {
      var noise = SamplingNoise(seed: seed, count: batch, engine: .philox)
      seed += UInt64(batch)
      _ = try sample(
        try noise.normal(shape), with: denoiser,
        SamplingRequest(
          positive: conditioning, plan: plan, solver: EulerSolver(), noise: noise))
    }
    options.report(
      "sample", batch: batch, parameters: network.parameterCount, timings,
      ["steps": .integer(Int64(steps))])
  }
}
