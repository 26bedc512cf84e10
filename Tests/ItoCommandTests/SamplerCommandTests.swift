import ItoComponents
import Testing

@testable import ItoCommand

@Suite("The commands about samplers", .enabled(if: Program.path != nil), .serialized)
struct SamplerCommandTests {
  private func lines(_ outcome: Program.Outcome) throws -> [JSONValue] {
    try outcome.text.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
  }

  @Test("every solver and spacing is listed with its facts")
  func lists() throws {
    let folder = TemporaryFolder()
    let solvers = try lines(Program.run(["samplers", "--json"], in: folder))
    let facts = try #require(solvers.first { $0["name"]?.string == "dpm++2m" })
    #expect(facts["order"]?.int == 2 && facts["evaluations"]?.int == 1)
    #expect(facts["stochastic"]?.bool == false && facts["source"]?.string == "arXiv:2211.01095")
    #expect(solvers.count > 30)
    let spacings = try lines(Program.run(["samplers", "--spacings", "--json"], in: folder))
    #expect(spacings.contains { $0["name"]?.string == "karras" })
    let table = Program.run(["samplers"], in: folder)
    #expect(table.status == 0 && table.text.contains("dpm++2m"))
  }

  @Test("names of other tools are looked up, unknown ones are errors")
  func names() {
    let folder = TemporaryFolder()
    let known = Program.run(["samplers", "DPM++ 2M SDE Karras"], in: folder)
    #expect(known.text.hasPrefix("--solver dpm++2m-sde --spacing karras"))
    let unknown = Program.run(["samplers", "DPM++ 2N"], in: folder)
    #expect(unknown.status != 0 && unknown.text.contains("dpm++2m"))
  }

  @Test(
    "a comparison writes a row for every sampler and number of evaluations, a chart and a sheet")
  func compares() throws {
    let folder = TemporaryFolder()
    let outcome = Program.run(
      [
        "compare-samplers", "fashion-mnist", "--solvers", "euler,heun,dpm++2m karras",
        "--evaluations", "3,6", "--count", "2", "--reference-steps", "24", "--guidance", "none",
        "--json", "--plot", "\(folder.path)/chart.svg", "--sheet", "\(folder.path)/sheet.png",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.text)")
    let rows = try lines(outcome)
    #expect(rows.count == 6)
    // Heun's last step takes one evaluation.
    let heun = rows.filter { $0["sampler"]?.string == "heun" }
    #expect(heun.map { $0["steps"]?.int } == [2, 3])
    #expect(heun.map { $0["evaluations"]?.int } == [3, 5])
    let euler = rows.filter { $0["sampler"]?.string == "euler" }.compactMap { $0["error"]?.double }
    #expect(euler.count == 2 && euler[1] < euler[0] && euler[1] > 0)
    let chart = folder.bytes("\(folder.path)/chart.svg")
    #expect(String(decoding: chart, as: UTF8.self).hasPrefix("<svg"))
    // The rows make the same chart again.
    try AtomicFile.write("\(folder.path)/rows.jsonl", bytes: Array(outcome.text.utf8))
    let again = Program.run(
      [
        "compare-samplers", "--results", "\(folder.path)/rows.jsonl", "--plot",
        "\(folder.path)/again.svg",
      ], in: folder)
    #expect(again.status == 0 && again.text.contains("dpm++2m karras"), "\(again.text)")
    #expect(folder.bytes("\(folder.path)/again.svg") == chart)
    #expect(folder.bytes("\(folder.path)/sheet.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  @Test("what a search finds can be drawn with")
  func searches() throws {
    let folder = TemporaryFolder()
    let outcome = Program.run(
      [
        "optimize-steps", "fashion-mnist", "--steps", "3", "--count", "2", "--grid", "10",
        "--method", "elbo", "--json",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.text)")
    let spacing = try #require(try lines(outcome).first?["spacing"]?.string)
    let drawn = Program.run(
      [
        "generate", "bag", "--model", "fashion-mnist", "--steps", "3", "--spacing", spacing,
        "--output", "\(folder.path)/bag.png",
      ], in: folder)
    #expect(drawn.status == 0, "\(drawn.text)")
  }

  @Test(
    "bad input is an error with a reason",
    arguments: [
      ["compare-samplers", "fashion-mnist", "--evaluations", "x"],
      ["compare-samplers", "fashion-mnist", "--solvers", "nothing"],
      ["compare-samplers", "fashion-mnist", "--solvers", ","],
      ["compare-samplers", "no-such-model"],
      ["compare-samplers", "--results", "no-such-file.jsonl"],
      ["optimize-steps", "fashion-mnist", "--method", "guess"],
      ["optimize-steps", "fashion-mnist", "--steps", "500", "--grid", "5", "--count", "1"],
    ])
  func refuses(arguments: [String]) {
    let outcome = Program.run(arguments, in: TemporaryFolder())
    #expect(outcome.status != 0)
    #expect(outcome.text.count > 20)
  }
}
