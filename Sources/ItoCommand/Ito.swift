import ArgumentParser

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@main
struct Ito: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ito",
    abstract: "Efficient diffusion models: train, draw, inspect, compare, judge.",
    discussion: """
      Examples:
        ito generate sneaker bag dress --count 4 --sheet clothes.png
        ito train Recipes/fashion-mnist.yaml --resume
        ito compare Recipes/fashion-mnist.yaml --vary weighting=none,min-snr --budget 20m
        ito eval Models/fashion-mnist --count 2000
        ito inspect Models/fashion-mnist
      """,
    version: itoVersion,
    subcommands: [
      Generate.self,
      Reproduce.self,
      Train.self,
      Compare.self,
      AverageCommand.self,
      Evaluate.self,
      Inspect.self,
      Bench.self,
      Convert.self,
      Pull.self,
      ParityCommand.self,
      Samplers.self,
      CompareSamplers.self,
      OptimizeSteps.self,
    ])

  static func main() {
    WaitPolicy.apply()
    let complaint = KernelSettings.complaint { name in getenv(name).map { String(cString: $0) } }
    if let complaint { exit(withError: ValidationError(complaint)) }
    main(nil)
  }
}

/// The version of the program and the library.
let itoVersion = "0.1.0"
