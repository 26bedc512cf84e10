import ArgumentParser
import ItoComponents
import ItoModels
import ItoPipelines
import ItoTensors

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rewrite a model: folder or single file, any format to safetensors, any precision.",
    discussion: """
      A destination that ends in .safetensors is one file, any other a folder. Pickles (.ckpt, .pt) are \
      read without running them; quantized GGUF tensors become numbers. A model folder of ito train is \
      rewritten with its parts.

      int8 keeps matrices and kernels in 8 bits with one scale a row, a quarter of float32. Itô reads it \
      wherever it reads the others; other programs do not know it.

      Examples:
        ito convert v1-5.ckpt v1-5.safetensors
        ito convert v1-5.safetensors v1-5-folder --config some/folder-with-a-tokenizer
        ito convert some/folder all-in-one.safetensors --dtype float16
        ito convert model.Q8_0.gguf model.safetensors --dtype bfloat16
        ito convert Models/mine Models/mine-small --dtype int8
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A pipeline's folder, or a checkpoint: .safetensors, .ckpt, .pt or .gguf.")
  var source: String

  @Argument(help: "The file (ending in .safetensors) or folder to write.")
  var destination: String

  @Option(
    help: "Element type of the weights: float32, float16, bfloat16 or int8 (default: as they are).")
  var dtype: String?

  @Option(
    help: "A folder whose configurations, scheduler and tokenizers a single file is completed with."
  )
  var config: String?

  @Option(
    help: "What a folder is written as, if it could be several: sd1, sd2, sdxl, sdxl-refiner.")
  var family: String?

  @Flag(help: "Replace the destination if it is a file that exists.")
  var force = false

  func run() throws {
    shared.apply()
    var conversion = ModelConversion(from: source, to: destination)
    conversion.configurations = config
    conversion.replaces = force
    if let dtype {
      guard let type = DType(name: dtype), type.isFloatingPoint || type == .int8 else {
        throw CommandFailure("--dtype \(dtype): choose float32, float16, bfloat16 or int8.")
      }
      conversion.dtype = type
    }
    if let family {
      guard let known = SingleFileFamily.named(family) else {
        let names = SingleFileFamily.builtin.map(\.name).joined(separator: ", ")
        throw CommandFailure("--family \(family): choose one of \(names).")
      }
      conversion.family = known
    }
    var bar: ProgressBar?
    var part = ""
    let report = try conversion.run { name, done, total in
      if name != part {
        bar?.clear()
        bar = ProgressBar(name, unit: "MB", total: total >> 20, isShown: !shared.json)
        part = name
      }
      bar?.update(done >> 20)
    }
    bar?.clear()
    if shared.json {
      let lacking = JSONValue.array(report.lacking.map { .string($0) })
      Terminal.output(
        JSONValue.object([
          "path": .string(report.path), "lacking": lacking,
          "bytes_before": .integer(Int64(report.bytesBefore)),
          "bytes_after": .integer(Int64(report.bytesAfter)),
          "relative_error": report.relativeError.map { .double($0) } ?? .null,
        ]).text())
      return
    }
    Terminal.output("\(report.path): \(report.summary)")
    var change =
      "weights: \(megabytes(report.bytesBefore)) before, \(megabytes(report.bytesAfter)) after"
    if let error = report.relativeError {
      change += "; changed by \(brief(100 * error)) % (root mean square)"
    }
    Terminal.output(change)
    if !report.lacking.isEmpty {
      Terminal.note(
        "To draw with it, it also needs \(report.lacking.joined(separator: ", ")), which the source "
          + "does not have; --config takes them from another folder.")
    }
  }

  private func megabytes(_ bytes: Int) -> String { "\(fixed(Double(bytes) / 1e6, 2)) MB" }
}
