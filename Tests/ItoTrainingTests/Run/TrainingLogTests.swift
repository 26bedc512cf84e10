import ItoComponents
import Testing

@testable import ItoTraining

@Suite struct TrainingLogTests {
  let folder = TemporaryFolder()

  private func text() throws -> String {
    String(decoding: try readFile(folder("log")), as: UTF8.self)
  }

  @Test("Lines are appended; those of steps that will be done again are cut off")
  func truncates() throws {
    let log = TrainingLog(path: folder("log"))
    try log.truncate(from: 3)
    for step in 0..<6 { try log.append(["step": .integer(Int64(step)), "loss": 0.5]) }
    let whole = try text()
    #expect(whole.split(separator: "\n").count == 6)
    try log.truncate(from: 6)
    #expect(try text() == whole)
    try log.truncate(from: 4)
    #expect(try text() == whole.split(separator: "\n")[..<4].map { $0 + "\n" }.joined())
    try log.append(["step": 4, "loss": 0.5])
    try log.append(["step": 5, "loss": 0.5])
    #expect(try text() == whole)
    try log.truncate(from: 0)
    #expect(try text().isEmpty)
  }

  @Test(
    "A torn or foreign line ends what is kept", arguments: ["{\"step\": 2, \"lo", "hello\n", "\n"])
  func torn(line: String) throws {
    let log = TrainingLog(path: folder("log"))
    for step in 0..<2 { try log.append(["step": .integer(Int64(step))]) }
    let whole = try text()
    try folder.write("log", whole + line)
    try log.truncate(from: 10)
    #expect(try text() == whole)
  }
}
