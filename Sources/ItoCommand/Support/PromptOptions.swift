import ArgumentParser
import ItoComponents
import ItoPipelines

/// What is asked for in words.
struct PromptOptions: ParsableArguments {
  @Argument(help: "What to draw.")
  var prompts: [String] = []

  @Option(
    name: [.customShort("p"), .customLong("prompt")], help: "What to draw, as other tools spell it."
  )
  var prompt: String?

  @Option(help: "A text file of things to draw, one a line.")
  var fromFile: String?

  @Option(
    name: [.customLong("negative-prompt"), .customLong("negative")],
    help: "What to draw less of.")
  var negative: String?

  @Option(
    help: "How prompts are written: literal, a1111 for (more:1.3) and BREAK, comfy.")
  var promptStyle = "literal"

  @Flag(
    help: "Cut prompts at the length the text encoder reads, instead of encoding them in parts.")
  var truncate = false

  @Option(
    help: "Leave out the last layers of the text encoder, as other tools count: 2 leaves out one.")
  var clipSkip: Int?

  @Option(name: [.customShort("n"), .long], help: "Pictures of each.")
  var count = 1

  mutating func validate() throws {
    if count < 1 || count > 100_000 {
      throw ValidationError("--count \(count): ask for 1 to 100000 pictures of each.")
    }
    if let clipSkip, !(1...64).contains(clipSkip) {
      throw ValidationError("--clip-skip \(clipSkip): give 1 for none, or 2 and more.")
    }
  }

  /// One prompt for each picture: what was given, or the model's examples, or one of each class it knows.
  func prompts(for generator: ImageGenerator) throws -> [Prompt] {
    let grammar = try ComponentChoice(parsing: promptStyle)
    _ = try Registry<any PromptGrammar>.builtin.make(grammar)
    let given =
      prompts + (prompt.map { [$0] } ?? [])
      + (try fromFile.map { try promptLines(ofFile: $0) } ?? [])
    let defaults = generator.defaults
    let own = defaults.examples.isEmpty ? defaults.labels : defaults.examples
    let wanted = given.isEmpty ? own : given
    if wanted.isEmpty && generator.takesText {
      throw CommandFailure(
        "Say what to draw: ito generate --model \(generator.name) \"a red apple\"")
    }
    return (wanted.isEmpty ? [""] : wanted).flatMap { text in
      [Prompt](
        repeating: Prompt(
          text, negative: negative, grammar: grammar, overflow: truncate ? .truncated : .chunks,
          clipSkip: clipSkip.flatMap { $0 > 1 ? $0 - 1 : nil }), count: count)
    }
  }
}
