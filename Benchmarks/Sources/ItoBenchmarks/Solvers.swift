import ArgumentParser
import Ito

/// What the arithmetic of each solver costs beside the network's.
struct Solvers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times the steps of every solver with a network that costs nothing.",
    discussion: """
      A step on latents of the size that Stable Diffusion 1.5 has for 512x512 pixels. Noise is not drawn, so \
      that only arithmetic counts. `passes` is its time in units of one combination of three tensors: what a \
      step takes at least.
      """)

  @Option(help: "Steps of a run.")
  var steps = 20

  @Option(help: "Runs of each; the best counts.")
  var rounds = 20

  @Option(help: "Threads.")
  var threads = 1

  func run() throws {
    Runtime.threads = threads
    let shape: Shape = [1, 64, 64, 4]
    var noise = SamplingNoise(seed: 1)
    let (x, clean) = try (noise.normal(shape), noise.normal(shape))
    let one = { _ = Tensor.linearCombination([(0.5, x), (0.3, clean), (0.2, x)]) }
    let pass = race(rounds: rounds, slice: 0.01, [one])[0]
    emit([
      "one_pass_us": .rounded(pass.bestProcessor * 1e6), "threads": .integer(Int64(threads)),
    ])
    let plan = try SamplingPlan(
      steps: steps, spacing: KarrasSpacing(), schedule: ScaledLinearBeta())
    for name in Registry<any Solver>.builtin.names {
      let solver = try Registry<any Solver>.builtin.make(name)
      let best = try seconds(solver, plan, x, clean)
      emit([
        "solver": .string(name), "step_us": .rounded(best * 1e6),
        "passes": .rounded(best / pass.bestProcessor, 3),
        "evaluations": .integer(Int64(solver.traits.evaluations)),
      ])
    }
  }

  /// Processor seconds of a step, from the best of several runs.
  private func seconds<S: Solver>(
    _ solver: S, _ plan: SamplingPlan, _ x: Tensor, _ clean: Tensor
  ) throws -> Double {
    let denoise = DenoiseFunction { _, _ in clean }
    var best = Double.infinity
    for _ in 0..<rounds {
      var noise = SamplingNoise(recorded: [Tensor](repeating: x, count: 100 * plan.stepCount))
      var memory = solver.makeMemory(for: plan)
      var sample = x
      let begin = processorSeconds()
      for index in 0..<plan.stepCount {
        let (current, next) = plan.step(index)
        sample = try solver.step(
          sample, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
      }
      best = min(best, (processorSeconds() - begin) / Double(plan.stepCount))
    }
    return best
  }
}
