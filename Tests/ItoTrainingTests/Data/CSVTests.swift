import Testing

@testable import ItoTraining

@Suite struct CSVTests {
  private func fields(_ text: String) throws -> [[String]] {
    try CSV(text, path: "x.csv").rows.map(\.fields)
  }

  @Test("Fields, quotes, line ends")
  func parses() throws {
    #expect(try fields("a,b\nc,d\n") == [["a", "b"], ["c", "d"]])
    #expect(try fields("a,b\r\nc,d") == [["a", "b"], ["c", "d"]])
    #expect(try fields("a,\"b, \"\"c\"\"\nd\",\n") == [["a", "b, \"c\"\nd", ""]])
    #expect(try fields("\"\"\n") == [[""]])
    #expect(try fields("\n\na\n\n") == [["a"]])
    #expect(try fields("") == [])
    #expect(try fields("ä,日本") == [["ä", "日本"]])
  }

  @Test("Lines are counted through quoted breaks")
  func lines() throws {
    #expect(try CSV("a\n\"b\nc\"\nd\n", path: "x.csv").rows.map(\.line) == [1, 2, 4])
  }

  @Test(
    "Broken quotes are errors with their line", arguments: ["a\nb\"c\n", "a\n\"b\n", "a\n\"b\"c\n"])
  func broken(text: String) {
    #expect {
      try fields(text)
    } throws: {
      "\($0)".contains("line 2")
    }
  }
}
