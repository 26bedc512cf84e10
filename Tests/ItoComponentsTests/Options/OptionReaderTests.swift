import ItoComponents
import Testing

@Suite struct OptionReaderTests {
  @Test("A list of texts: several, one, names made of digits, none")
  func strings() throws {
    func read(_ value: OptionValue?) throws -> [String]? {
      var reader = OptionReader(value.map { ["names": $0] } ?? [:])
      let result = try reader.strings("names")
      try reader.finish()
      return result
    }
    #expect(try read(["a", "b c"]) == ["a", "b c"])
    #expect(try read("a") == ["a"])
    #expect(try read([7, "b"]) == ["7", "b"])
    #expect(try read([]) == [])
    #expect(try read(nil) == nil)
    #expect(
      throws: OptionError.wrongType(key: "names", expected: "a list of texts", found: "a number")
    ) {
      try read(["a", 1.5])
    }
  }
}
