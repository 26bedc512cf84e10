import ItoComponents
import Testing

@testable import ItoCommand

@Suite("Words and numbers for people")
struct SupportTests {
  @Test("durations and figures")
  func formatting() {
    #expect(formatted(seconds: 0.421) == "0.42 s")
    #expect(formatted(seconds: 12.34) == "12.3 s")
    #expect(formatted(seconds: 185) == "3 min 05 s")
    #expect(formatted(seconds: 7620) == "2 h 07 min")
    #expect(formatted(seconds: .infinity) == "unknown")
    #expect(fixed(-0.04, 1) == "0.0")
    #expect(fixed(1.005e3, 0) == "1005")
    #expect(fixed(2.5, 3) == "2.500")
    #expect(brief(12345.6) == "12346")
    #expect(brief(0.01234567) == "0.01235")
  }

  @Test("YAML becomes the value that JSON would give")
  func yaml() throws {
    let value = try parseYAML("a: 1\nb: [x, 2.5, true, ~]\nc: {d: '7'}", file: "f")
    #expect(value == ["a": 1, "b": ["x", 2.5, true, nil], "c": ["d": "7"]])
    #expect(throws: CommandFailure.self) { try parseYAML("a: [", file: "f") }
    #expect(throws: CommandFailure.self) { try parseYAML("a: 1\na: 2", file: "f") }
    #expect(throws: CommandFailure.self) { try parseYAML("", file: "f") }
  }

  @Test("a section reads by type and range, and knows what nobody read")
  func section() throws {
    var s = try Section(["steps": 4, "rate": 1, "solver": "ddim:eta=0.5", "x": 1], file: "f")
    #expect(try s.int("steps", in: 1...9) == 4)
    #expect(try s.double("rate", default: 0) == 1)
    #expect(try s.component("solver", default: "euler").options["eta"] == .double(0.5))
    #expect(try s.component("other", default: "euler").name == "euler")
    #expect(throws: CommandFailure.self) { try s.finish() }
    #expect(try s.int("x") == 1)
    try s.finish()
    var t = try Section(["steps": "four", "n": 50], file: "f")
    #expect(throws: CommandFailure.self) { try t.int("steps") }
    #expect(throws: CommandFailure.self) { try t.int("n", in: 0...9) }
    #expect(throws: CommandFailure.self) { try t.string("absent") }
    #expect(throws: CommandFailure.self) { try Section([1, 2], file: "f") }
  }
}
