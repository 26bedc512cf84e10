import ArgumentParser
import ItoCheckpoints
import ItoComponents
import ItoPipelines
import ItoTensors
import ItoTraining

struct AverageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "average",
    abstract: "Choose the length of a model's weight average after training.",
    discussion: """
      A run whose recipe has  training: {ema: [power:length=0.05, power:length=0.1], snapshots: 500} \
      saves two averages now and then. From these the average of any other length is put together, to be \
      judged and kept: longer ones are smoother, shorter ones newer.

      Examples:
        ito average runs/emoji --model Models/emoji --length 0.13 --output out/emoji-0.13
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "The run's folder, or the folder of its snapshots.")
  var source: String

  @Option(help: "The finished model, whose description and element types are kept.")
  var model: String

  @Option(help: "Standard deviation of the average as a share of the run, 0.01 to 0.28.")
  var length: Double

  @Option(help: "Updates after which the average is taken (default: the last snapshot's).")
  var updates: Int?

  @Option(help: "Folder for the new model.")
  var output: String

  func validate() throws {
    if !(0.01...0.28).contains(length) {
      throw ValidationError("--length \(length): give a share from 0.01 to 0.28.")
    }
    if let updates, updates < 1 { throw ValidationError("--updates \(updates): at least 1.") }
  }

  func run() throws {
    shared.apply()
    let folder = try ModelLocator.folder(model)
    let manifest = try ModelManifest(folder: folder)
    let inner = source + "/averages"
    let snapshots = AverageSnapshots(isFolder(inner) ? inner : source)
    let averaged = try snapshots.average(length: length, updates: updates)
    let finished = try SafeTensors(path: folder + "/" + manifest.weights)
    var tensors: [String: Tensor] = [:]
    for key in finished.keys {
      // The run holds the denoiser, the model's folder its network.
      guard let new = averaged["backbone." + key] ?? averaged[key] else {
        throw CommandFailure(
          "\(source) has no \"\(key)\", which \(folder) has: they are not of one model.")
      }
      let old = try finished.tensor(key)
      guard new.shape == old.shape else {
        throw CommandFailure(
          "\"\(key)\" is \(new.shape) in \(source) and \(old.shape) in \(folder).")
      }
      guard old.dtype.isFloatingPoint == new.dtype.isFloatingPoint else {
        throw CommandFailure(
          "\(folder) holds \"\(key)\" as \(old.dtype): it was compressed. Give the model as it was trained."
        )
      }
      tensors[key] = new.cast(to: old.dtype)
    }
    try copyFolder(folder, to: output, except: manifest.weights)
    try SafeTensors.write(
      tensors, metadata: finished.metadata, to: output + "/" + manifest.weights)
    if shared.json {
      Terminal.output(JSONValue.object(["model": .string(output)]).text())
    } else {
      Terminal.output("\(output): the average of length \(brief(length))")
    }
  }
}
