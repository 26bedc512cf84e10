import Foundation
import ItoComponents
import ItoDiffusion
import ItoPipelines
import ItoTraining
import Testing

@testable import ItoCommand

/// Docs/training.md lists every key of a recipe and every name that a key can have.
@Suite("Recipe keys in the documentation")
struct RecipeKeysTests {
  /// The rows of the tables in the documentation by their key.
  private let rows: [String: String]

  init() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appending(path: "Docs/training.md"), encoding: .utf8)
    rows = Dictionary(
      text.split(separator: "\n").compactMap { line in
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        guard line.hasPrefix("| `"), cells.count > 1 else { return nil }
        return (String(cells[0].dropFirst().dropLast()), cells[1])
      }, uniquingKeysWith: { $0 + $1 })
  }

  /// The keys that `section` of a recipe knows, from the message about one that it does not.
  private func keys(of section: String) throws -> [String] {
    let folder = TemporaryFolder()
    var sections = ["data": "train: folder, size: 8", "training": "steps: 1"]
    if !section.isEmpty {
      sections[section] = (sections[section].map { $0 + ", " } ?? "") + "stranger_key: 1"
    }
    var lines = sections.map { "\($0): {\($1)}" } + ["network: {a: 1}", "output: out"]
    if section.isEmpty { lines.append("stranger_key: 1") }
    folder.write("recipe.yaml", lines.joined(separator: "\n"))
    do {
      _ = try Recipe(file: folder.path + "/recipe.yaml")
    } catch let error as CommandFailure {
      let parts = error.description.components(separatedBy: "Known here: ")
      try #require(parts.count == 2, "\(error.description)")
      return parts[1].trimmingCharacters(in: .whitespacesAndNewlines).components(separatedBy: ", ")
    }
    Issue.record("a strange key was taken")
    return []
  }

  @Test(
    "Every key has a row", arguments: ["", "data", "text", "diffusion", "training", "sampling"])
  func keys(section: String) throws {
    let found = try keys(of: section)
    #expect(!found.isEmpty)
    for key in found where !["data", "text", "diffusion", "training", "sampling"].contains(key) {
      let name = section.isEmpty ? key : "\(section).\(key)"
      #expect(rows[name] != nil, "\(name)")
    }
  }

  @Test("No row names a key that there is not")
  func strangers() throws {
    var known: Set<String> = []
    for section in ["", "data", "text", "diffusion", "training", "sampling"] {
      known.formUnion(try keys(of: section).map { section.isEmpty ? $0 : "\(section).\($0)" })
    }
    for key in rows.keys where key.contains(".") { #expect(known.contains(key), "\(key)") }
  }

  @Test("Every name that a key can have is in its row")
  func names() {
    let choices: [(key: String, names: [String])] = [
      ("data.train", Registry<any DataSource>.builtin.names),
      ("diffusion.schedule", Registry<any NoiseSchedule>.builtin.names),
      ("diffusion.parameterization", Registry<any Parameterization>.builtin.names),
      ("diffusion.codec", Registry<any LatentCodec>.builtin.names),
      ("diffusion.times", Registry<any TimeSampling>.builtin.names),
      ("diffusion.weighting", Registry<any LossWeighting>.builtin.names),
      ("diffusion.noise", Registry<any NoisePairing>.builtin.names),
      ("diffusion.routing", Registry<TokenRouting>.builtin.names),
      ("diffusion.masking", Registry<TokenMasking>.builtin.names),
      ("training.optimizer", Registry<any Optimizer>.builtin.names),
      ("training.schedule", Registry<any LearningRateDecay>.builtin.names),
      ("training.ema", Registry<any AveragingProfile>.builtin.names),
      ("task", ModelManifest.Task.allCases.map(\.rawValue)),
    ]
    for (key, names) in choices {
      for name in names { #expect(rows[key]?.contains("`\(name)") == true, "\(key): \(name)") }
    }
  }
}
