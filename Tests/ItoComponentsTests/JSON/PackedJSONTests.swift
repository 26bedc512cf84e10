import Testing

@testable import ItoComponents

@Suite("JSON as it was read")
struct PackedJSONTests {
  /// Numbers of elements around the bounds of every form.
  static let counts = [0, 1, 15, 16, 17, 31, 32, 33, 100, 255, 256, 300]

  @Test("arrays of every length", arguments: counts)
  func arrays(_ count: Int) throws {
    for element in [
      "7", "\"é\"", "[1,[2]]", "-40000", "0.125", "1.23456789012",
      "\"\(String(repeating: "x", count: 70))\"",
    ] {
      let text = "[\(repeatElement(element, count: count).joined(separator: ","))]"
      let read = try #require(try JSONValue.parse(text).array)
      let one = try JSONValue.parse(element)
      #expect(read.count == count)
      #expect(read.allSatisfy { $0 == one } && read.indices.allSatisfy { read[$0] == one })
      #expect(read == JSONArray([JSONValue](repeating: one, count: count)))
      #expect(JSONValue.array(read).text() == text)
    }
  }

  @Test("objects of every size", arguments: counts)
  func objects(_ count: Int) throws {
    for value in ["1", "{\"a\":[3000000000,-5000000000]}", "null"] {
      let members = (0..<count).map { "\"k\($0)\":\(value)" }.joined(separator: ",")
      var read = try #require(try JSONValue.parse("{\(members)}").object)
      let one = try JSONValue.parse(value)
      #expect(read.count == count && read.keys == (0..<count).map { "k\($0)" })
      #expect(read.values == [JSONValue](repeating: one, count: count))
      for i in 0..<count {
        #expect(read["k\(i)"] == one)
        #expect(read[i].key == "k\(i)" && read[i].value == one)
      }
      #expect(read["k\(count)"] == nil && read[""] == nil)
      let whole = read
      // A change takes it out of the form it was read in.
      read["new"] = 5
      #expect(read.count == count + 1 && read["new"] == 5 && read != whole)
      read["new"] = nil
      #expect(read == whole && whole == read && read.hashValue == whole.hashValue)
      #expect(JSONValue.object(read).text() == JSONValue.object(whole).text())
    }
  }

  @Test(
    "a repeated key is found in objects of every size, with its place",
    arguments: [2, 9, 16, 17, 40, 300])
  func repeatedKeys(_ count: Int) throws {
    for nested in ["1", "{\"a\":1,\"b\":[{}, \"\\n\"]}"] {
      let members = (0..<count - 1).map { "\"k\($0)\": \(nested), " }.joined()
      let error = #expect(throws: JSONError.self) {
        try JSONValue.parse("[{\(members)\"k\(count / 3)\": 0, \"last\": 1}]")
      }
      #expect(error?.reason == "the key \"k\(count / 3)\" appears twice")
      #expect(error?.offset == members.utf8.count + 2)
    }
  }

  @Test("keys are equal as Swift's strings are", arguments: [1, 40])
  func canonicalKeys(_ count: Int) throws {
    let others = (1..<count).map { ",\"\($0)\":0" }.joined()
    let read = try JSONValue.parse("{\"e\u{301}\":1,\"\u{212A}\":2\(others)}")
    #expect(read["é"] == 1 && read["K"] == 2 && read["e"] == nil)
    #expect(throws: JSONError.self) { try JSONValue.parse("{\"e\u{301}\":1,\"é\":2\(others)}") }
    #expect(throws: JSONError.self) { try JSONValue.parse("{\"K\":1,\"\u{212A}\":2\(others)}") }
  }

  @Test(
    "strings around the bounds of their forms, escaped or not", arguments: [0, 62, 63, 64, 65, 300])
  func strings(_ count: Int) throws {
    let plain = String(repeating: "x", count: count)
    #expect(try JSONValue.parse("\"\(plain)\"").string == plain)
    #expect(try JSONValue.parse("\"\(plain)\\u00e9\\n\"").string == plain + "é\n")
    #expect(
      try JSONValue.parse("[\"\(plain)\\t\",\"\(plain)\"]") == [
        .string(plain + "\t"), .string(plain),
      ])
  }

  @Test("integers around the bounds of their forms")
  func integers() throws {
    for bound in [0, 127, 128, 255, 32767, 32768, 2_147_483_647, 2_147_483_648, Int.max] {
      for value in [bound, -bound, -bound - 1] {
        #expect(try JSONValue.parse("[\(value)]")[0]?.int == value)
      }
    }
  }

  @Test("messages quote the beginning of what a file holds")
  func beginnings() throws {
    #expect(quoted("a\"\n") == "\"a\\\"\\n\"")
    #expect(
      quoted(String(repeating: "x", count: 500)) == "\"" + String(repeating: "x", count: 200)
        + "\"…")
    #expect(try JSONValue.parse("[1, {\"a\": null}]").brief == "[1,{\"a\":null}]")
    let long = JSONValue.array([JSONValue](repeating: "abc", count: 1000)).brief
    #expect(long.utf8.count < 210 && long.hasPrefix("[\"abc\",\"abc\"") && long.hasSuffix("…"))
  }
}
