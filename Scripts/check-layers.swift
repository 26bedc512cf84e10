// Checks the dependency table of Package.swift against the architecture's layers.
//
//   swift Scripts/check-layers.swift
//
// That a source imports only what its target declares is checked by the compiler
// (--explicit-target-dependency-import-check error); this checks what the targets declare.

import Foundation

/// A target, the targets it may depend on, and the products of other packages.
struct Row {
  var target: String
  var own: [String] = []
  var products: [String] = []
}

/// Lowest layer first. A row names targets of lower layers only, or of its own layer above it in the list.
let layers: [[Row]] = [
  [
    Row(target: "ItoCKernels"),
    Row(target: "ItoCOneDNN", own: ["ItoCKernels"]),
    Row(target: "ItoCCodecs"),
    Row(target: "ItoCImages", own: ["ItoCCodecs"]),
    Row(target: "ItoComponents"),
    Row(target: "ItoCHub"),
    Row(target: "ItoCAllocations"),
  ],
  [
    Row(target: "ItoHub", own: ["ItoComponents", "ItoCHub"]),
    Row(target: "ItoTensors", own: ["ItoCKernels", "ItoCOneDNN"]),
    Row(target: "ItoTokenizers", own: ["ItoComponents"]),
  ],
  [
    Row(target: "ItoModules", own: ["ItoTensors"]),
    Row(target: "ItoImages", own: ["ItoTensors", "ItoComponents", "ItoCImages", "ItoCCodecs"]),
  ],
  [
    Row(
      target: "ItoDiffusion", own: ["ItoModules", "ItoTensors", "ItoComponents"],
      products: ["Logging"]),
    Row(
      target: "ItoCheckpoints", own: ["ItoModules", "ItoTensors", "ItoComponents", "ItoCHub"]),
  ],
  [
    Row(
      target: "ItoModels",
      own: ["ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents"]),
    Row(
      target: "ItoTraining",
      own: [
        "ItoDiffusion", "ItoCheckpoints", "ItoModules", "ItoTensors", "ItoComponents", "ItoImages",
        "ItoCCodecs",
      ]),
    Row(target: "ItoTestSupport", own: ["ItoDiffusion", "ItoModules", "ItoTensors"]),
  ],
  [
    Row(
      target: "ItoPipelines",
      own: [
        "ItoModels", "ItoCheckpoints", "ItoDiffusion", "ItoImages", "ItoModules", "ItoTensors",
        "ItoTokenizers", "ItoComponents",
      ],
      products: ["Logging"])
  ],
  [
    Row(
      target: "ItoCommand",
      own: [
        "ItoHub", "ItoPipelines", "ItoTraining", "ItoModels", "ItoCheckpoints", "ItoDiffusion",
        "ItoImages",
        "ItoModules", "ItoTensors", "ItoTokenizers", "ItoComponents",
      ],
      products: ["ArgumentParser", "Yams"]),
    Row(
      target: "Ito",
      own: [
        "ItoHub", "ItoPipelines", "ItoTraining", "ItoModels", "ItoCheckpoints", "ItoDiffusion",
        "ItoImages",
        "ItoModules", "ItoTensors", "ItoTokenizers", "ItoComponents",
      ]),
  ],
]

struct Manifest: Decodable {
  struct Target: Decodable {
    var name: String
    var type: String
    var dependencies: [Dependency]
  }

  /// A dependency by name or on a product of another package: its kind and its name.
  struct Dependency: Decodable {
    var kind: String
    var name: String

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: Key.self)
      guard let key = fields.allKeys.first else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "a dependency without a kind"))
      }
      var parts = try fields.nestedUnkeyedContainer(forKey: key)
      kind = key.stringValue
      name = try parts.decode(String.self)
    }
  }

  struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var targets: [Target]
}

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data((message + "\n").utf8))
  exit(1)
}

/// The manifest as SwiftPM reads it, of the package this script lies in.
func manifest() throws -> Manifest {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["swift", "package", "--package-path", root.path, "dump-package"]
  let output = Pipe()
  process.standardOutput = output
  try process.run()
  let json = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { fail("swift package dump-package failed") }
  return try JSONDecoder().decode(Manifest.self, from: json)
}

/// The row of `target` and the number of its layer.
func place(of target: some StringProtocol) -> (row: Row, layer: Int)? {
  for (layer, rows) in layers.enumerated() {
    if let row = rows.first(where: { $0.target == target }) { return (row, layer) }
  }
  return nil
}

/// What `target` depends on and may not, one sentence each.
func faults(of target: Manifest.Target) -> [String] {
  let name = target.name
  if target.type == "test" {
    // A test sees what it tests, the layers up to that one, and the support.
    guard name.hasSuffix("Tests"), let (row, layer) = place(of: name.dropLast("Tests".count)) else {
      return ["\(name) tests no target: call it <Target>Tests"]
    }
    return target.dependencies.filter { dependency in
      dependency.kind == "product"
        ? !row.products.contains(dependency.name)
        : dependency.name != "ItoTestSupport"
          && (place(of: dependency.name)?.layer ?? .max) > layer
    }.map { "\(name) may not depend on \($0.name), which is above \(row.target)" }
  }
  guard let (row, _) = place(of: name) else {
    return ["\(name) is in no layer: give it a row in Scripts/check-layers.swift"]
  }
  return target.dependencies.filter { dependency in
    !(dependency.kind == "product" ? row.products : row.own).contains(dependency.name)
  }.map { "\(name) may not depend on \($0.name)" }
}

// The table itself: a row names what stands before it.
var before: Set<String> = []
for row in layers.joined() {
  for name in row.own where !before.contains(name) {
    fail("Scripts/check-layers.swift: \(row.target) lists \(name), which is not below it")
  }
  before.insert(row.target)
}

let found = try manifest().targets.flatMap(faults)
if !found.isEmpty { fail(found.joined(separator: "\n")) }
print("\(before.count) targets keep to their layers")
