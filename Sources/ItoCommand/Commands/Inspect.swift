import ArgumentParser
import ItoCheckpoints
import ItoComponents

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a checkpoint file or model folder is.",
    discussion: """
      Lists format, class, tensors with shape and element type, parameters and metadata.

      Examples:
        ito inspect Models/fashion-mnist/model.safetensors
        ito inspect some/folder --no-tensors
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A checkpoint file, or a folder with one.")
  var path: String

  @Flag(inversion: .prefixedNo, help: "List every tensor.")
  var tensors = true

  func run() throws {
    let summary = try CheckpointSummary(path: path)
    if shared.json {
      Terminal.output(summary.json.text())
    } else {
      Terminal.output(summary.text(listsTensors: tensors))
    }
  }
}
