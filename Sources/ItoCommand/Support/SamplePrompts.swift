import ArgumentParser
import ItoComponents
import ItoPipelines

/// What is drawn where many pictures are measured and no single one matters.
struct SamplePrompts: ParsableArguments {
  @Option(
    help:
      "What to draw; may be given several times (default: the model's examples or classes in turn)."
  )
  var prompt: [String] = []

  @Option(help: "A text file of things to draw, one a line.")
  var fromFile: String?

  /// `count` prompts that take turns: those given, or what the model draws when nothing is said.
  func taken(_ count: Int, for generator: ImageGenerator) throws -> [Prompt] {
    let given = prompt + (try fromFile.map { try promptLines(ofFile: $0) } ?? [])
    let own =
      generator.defaults.examples.isEmpty
      ? generator.labels.indices.map { "\($0)" } : generator.defaults.examples
    let wanted = given.isEmpty ? own : given
    guard !wanted.isEmpty || !generator.takesText else {
      throw CommandFailure(
        "\(generator.name) draws what it is told; give a --prompt or --from-file.")
    }
    return (0..<count).map { Prompt(wanted.isEmpty ? "0" : wanted[$0 % wanted.count]) }
  }
}

/// The lines of a file that say something.
func promptLines(ofFile file: String) throws -> [String] {
  let lines = String(decoding: try readFile(file, limit: 1 << 24), as: UTF8.self)
    .split(whereSeparator: \.isNewline).map(String.init)
    .filter { !$0.allSatisfy(\.isWhitespace) }
  guard !lines.isEmpty else { throw CommandFailure("\(file) has no line to draw from.") }
  return lines
}
