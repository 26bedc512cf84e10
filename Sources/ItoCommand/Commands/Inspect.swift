import ArgumentParser
import ItoCheckpoints
import ItoComponents
import ItoModels

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a checkpoint file or model folder is.",
    discussion: """
      Names the family of a model in one file, an adapter or an embedding, or says why that is not \
      known; lists format, class, tensors with shape and element type, parameters and metadata.

      Examples:
        ito inspect Models/fashion-mnist/model.safetensors
        ito inspect v1-5.ckpt --no-tensors
        ito inspect some/folder --no-tensors
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A checkpoint file, or a folder with one.")
  var path: String

  @Flag(inversion: .prefixedNo, help: "List every tensor.")
  var tensors = true

  func run() throws {
    let summary = try CheckpointSummary(path: path)
    // A class says what a folder's tensors are; without one, their names have to.
    let isBare = summary.className == nil && !summary.tensors.isEmpty
    let identity = isBare ? CheckpointIdentity(try Checkpoint.open(path)) : nil
    if shared.json {
      var json = summary.json.object ?? [:]
      json["family"] = identity.map { $0.family.map { .string($0) } ?? .null }
      json["identity"] = identity.map { .string($0.text) }
      Terminal.output(JSONValue.object(json).text())
    } else {
      if let identity { Terminal.output("\(path): \(identity.text)") }
      Terminal.output(summary.text(listsTensors: tensors))
    }
  }
}
