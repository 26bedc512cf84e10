import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoPipelines

struct OptimizeSteps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimize-steps",
    abstract: "Find the noise levels that suit a model, for few steps.",
    discussion: """
      Looks at what the model does to a few pictures of its own and prints a spacing to draw with. Methods:
      gits stays near the trajectories of a fine run, align-your-steps bounds the divergence from the true \
      process, elbo takes the best evidence lower bound.

      Examples:
        ito optimize-steps
        ito optimize-steps Models/fashion-mnist --steps 4,6,10 --method align-your-steps --count 32
        ito generate --solver dpm++2m --steps 4 --spacing "custom:sigmas=[1,0.8,0.5,0.2,0]"
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A model folder or the name of a model that comes with Itô.")
  var model = ModelLocator.defaultModel

  @Option(help: "How to look for levels: gits, align-your-steps or elbo, with options.")
  var method = "gits"

  @Option(help: "Numbers of steps, separated by commas.")
  var steps = "4,6,8,10"

  @OptionGroup var prompts: SamplePrompts

  @Option(name: [.customShort("n"), .long], help: "Pictures to look at.")
  var count = 16

  @Option(help: "Levels to choose from.")
  var grid = 60

  @Option(help: "Spacing of those levels.")
  var spacing = "linspace"

  @Option(name: [.short, .long], help: "Seed of the first picture.")
  var seed: UInt64 = 0

  func validate() throws {
    if !(1...10_000).contains(count) {
      throw ValidationError("--count \(count): ask for 1 to 10000 pictures.")
    }
    if !(2...1000).contains(grid) {
      throw ValidationError("--grid \(grid): ask for 2 to 1000 levels.")
    }
  }

  func run() throws {
    shared.apply()
    let counts = try wholeNumbers(steps, option: "--steps", in: 1...1000)
    let search = try Registry<any LevelSearch>.builtin.make(ComponentChoice(parsing: method))
    let generator = try ImageGenerator(folder: try ModelLocator.folder(model))
    let request = GenerationRequest(
      prompts: try prompts.taken(count, for: generator), seed: seed,
      spacing: try ComponentChoice(parsing: spacing))
    let interrupt = Interrupt.watch()
    var bar = ProgressBar("looking", unit: "level", total: grid, isShown: !shared.json)
    let found = try generator.searchLevels(
      search, counts: counts, grid: grid, for: request,
      isCancelled: { interrupt.isRequested }, onEvaluation: { bar.update($0) })
    bar.clear()
    for (count, list) in found.sorted(by: { $0.key < $1.key }) {
      if shared.json {
        Terminal.output(
          JSONValue.object([
            "steps": .integer(Int64(count)), "spacing": .string(list.choice.description),
            "sigmas": .array(list.values.map { .double($0) }),
          ]).text())
      } else {
        let sigmas = list.values.map { brief($0) }.joined(separator: ",")
        Terminal.output("--steps \(count) --spacing \"custom:sigmas=[\(sigmas)]\"")
      }
    }
  }
}

/// Numbers separated by commas.
func wholeNumbers(_ text: String, option: String, in range: ClosedRange<Int>) throws -> [Int] {
  let numbers = text.split(separator: ",").map { Int(String($0.filter { $0 != " " })) ?? .min }
  guard !numbers.isEmpty, numbers.allSatisfy(range.contains) else {
    throw CommandFailure(
      "\(option) \(text): give numbers from \(range.lowerBound) to \(range.upperBound), "
        + "separated by commas.")
  }
  return numbers
}
