import ArgumentParser

/// Timings of Itô. Every result is one line of JSON on standard output.
@main
struct ItoBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ito-benchmarks",
    abstract: "Times Itô on this machine, one JSON object a line.",
    discussion: """
      Machines drift: compare figures of one run, never of two. `cpu_share` well under 1 says that \
      something else was running.
      """,
    subcommands: [
      Operations.self, Solvers.self, TrainingRate.self, SamplingRate.self, ForwardPass.self,
    ])
}
