import ArgumentParser
import ItoComponents
import ItoPipelines
import ItoTensors

struct ParityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parity",
    abstract: "Compare Itô with goldens made by another implementation.",
    discussion: """
      A golden folder holds config.json, io.safetensors and, for networks, weights.safetensors. \
      Prints the largest absolute difference and the relative RMS error of each output. Exits with \
      status 1 when one is wrong or a folder's class is not supported.

      Examples:
        ito parity goldens/pipelines/sd15 --model sd15.ckpt
        ito parity goldens/dit goldens/unet_uncond_ddpm goldens/torch_randn
        ito parity sd15-golden --precision bfloat16
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "Golden folders.")
  var folders: [String]

  @Option(help: "Draw the runs of a pipeline's golden with this form of its model: one file.")
  var model: String?

  @Option(
    help: """
      Element type that networks and autoencoders compute in: float32, or bfloat16 for goldens that \
      hold the other implementation's bfloat16 outputs (Benchmarks/peers/accuracy.py makes them); ours \
      may be half as much again off its float32.
      """)
  var precision = "float32"

  func run() throws {
    shared.apply()
    let types: [String: DType] = [
      "float32": .float32, "f32": .float32, "bfloat16": .bfloat16, "bf16": .bfloat16,
    ]
    guard let type = types[precision] else {
      throw CommandFailure("--precision \(precision): choose float32 or bfloat16.")
    }
    var failures = 0
    for folder in folders {
      do {
        let reports = try Parity.check(folder, model: model, precision: type)
        failures += reports.count { !$0.passes }
        if reports.count > 8 && !shared.json && reports.allSatisfy(\.passes) {
          printSummary(folder, reports)
        } else {
          for report in reports { print(folder, report) }
        }
      } catch {
        failures += 1
        if shared.json {
          let object: JSONObject = ["folder": .string(folder), "error": .string("\(error)")]
          Terminal.output(JSONValue.object(object).text())
        } else {
          Terminal.output("FAIL  \(folder)  \(error)")
        }
      }
    }
    if failures > 0 { throw ExitCode(1) }
  }

  private func print(_ folder: String, _ report: ParityReport) {
    if shared.json {
      let object: JSONObject = [
        "folder": .string(folder), "output": .string(report.output),
        "max_abs": .double(report.largestDifference), "rel_rms": .double(report.relativeRMS),
        "pass": .bool(report.passes),
      ]
      Terminal.output(JSONValue.object(object).text(JSONStyle(writesNonFinite: true)))
    } else {
      Terminal.output(
        "\(report.passes ? "PASS" : "FAIL")  \(folder)  \(report.output)  "
          + "max |Δ| \(Float(report.largestDifference))  relative RMS \(Float(report.relativeRMS))"
          + Self.limit(report))
    }
  }

  private static func limit(_ report: ParityReport) -> String {
    if let allowance = report.allowance { return " (|Δ| at most \(Float(allowance)))" }
    return report.tolerance.map { " (at most \(Float($0)))" } ?? " (every bit must agree)"
  }

  private func printSummary(_ folder: String, _ reports: [ParityReport]) {
    let worst = reports.map(\.relativeRMS).max() ?? 0
    let difference = reports.map(\.largestDifference).max() ?? 0
    Terminal.output(
      "PASS  \(folder)  \(reports.count) outputs  max |Δ| \(Float(difference))  "
        + "relative RMS \(Float(worst))")
  }
}
