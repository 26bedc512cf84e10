import Testing

@testable import ItoComponents

@Suite("JSON reader")
struct JSONParserTests {
  static let accepted: [(String, JSONValue)] = [
    ("null", JSONValue.null), ("true", .bool(true)), (" false\n", .bool(false)),
    ("0", .integer(0)), ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .double(0x1p63)),
    ("1.0", .double(1)), ("1e3", .double(1000)), ("-2.5E-1", .double(-0.25)),
    ("1E+2", .double(100)),
    ("0.1", .double(0.1)), ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-999", .double(0)),
    ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([:])),
    ("[1, [2], {}]", [1, [2], [:]]),
    ("\r\n\t {\"a\" : 1 , \"b\":[true,null]}", ["a": 1, "b": [true, nil]]),
  ]

  @Test("values", arguments: Self.accepted)
  func values(_ text: String, _ expected: JSONValue) throws {
    #expect(try JSONValue.parse(text) == expected)
  }

  @Test func integersStayApartFromDoubles() throws {
    #expect(try JSONValue.parse("8") != JSONValue.parse("8.0"))
    #expect(try JSONValue.parse("8.0").int == nil)
    #expect(try JSONValue.parse("8").double == 8)
    let minusZero = try #require(try JSONValue.parse("-0").double)
    #expect(minusZero.sign == .minus && minusZero == 0)
  }

  @Test(
    "escapes",
    arguments: [
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
      (#""\ud83d\ude00!""#, "😀!"), (#""\u0000""#, "\u{0}"),
      ("\"Itô 😀 \u{10FFFF}\"", "Itô 😀 \u{10FFFF}"),
      (#""\uFFFF\uD7FF\uE000""#, "\u{FFFF}\u{D7FF}\u{E000}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
    ])
  func escapes(_ text: String, _ expected: String) throws {
    #expect(
      try JSONValue.parse(text).string?.unicodeScalars.elementsEqual(expected.unicodeScalars)
        == true)
  }

  @Test(
    "refused, with the place",
    arguments: [
      ("", 1, 1, 0), ("  ", 1, 3, 2), ("nul", 1, 1, 0), ("True", 1, 1, 0), ("[1,]", 1, 4, 3),
      ("[1 2]", 1, 4, 3), ("{\"a\":1,}", 1, 8, 7), ("{a:1}", 1, 2, 1), ("{\"a\" 1}", 1, 6, 5),
      ("{\"a\":1 \"b\":2}", 1, 8, 7), ("01", 1, 1, 0), ("-", 1, 2, 1), ("1.", 1, 3, 2),
      (".5", 1, 1, 0),
      ("+1", 1, 1, 0), ("1e", 1, 3, 2), ("1e999", 1, 1, 0), ("0x10", 1, 2, 1), ("1 2", 1, 3, 2),
      ("\"a", 1, 1, 0), ("\"a\nb\"", 1, 3, 2), ("'a'", 1, 1, 0), ("// c\n1", 1, 1, 0),
      (#""\x41""#, 1, 2, 1), (#""\u12G4""#, 1, 2, 1), (#""\ud83d""#, 1, 2, 1),
      (#""\ude00""#, 1, 2, 1),
      (#""\ud83dx""#, 1, 2, 1), (#""\ud83dA""#, 1, 2, 1), (#""\"#, 1, 2, 1), ("NaN", 1, 1, 0),
      ("-Infinity", 1, 2, 1), ("{\"a\":1,\n \"é\":2,\n \"a\":3}", 3, 2, 18),
      ("[\n\"é\", x]", 2, 6, 8),
      ("\u{FEFF}{}", 1, 1, 0), ("[", 1, 2, 1), ("{\"a\":", 1, 6, 5), ("1\u{0}", 1, 2, 1),
    ])
  func refused(_ text: String, _ line: Int, _ column: Int, _ offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    #expect(error?.line == line)
    #expect(error?.column == column)
    #expect(error?.offset == offset)
  }

  @Test(
    "ill-formed UTF-8",
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3], [0xE2, 0x82],
      [0xC3, 0x28],
      [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func illFormed(_ bytes: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue.parse([0x22] + bytes + [0x22]) }
    #expect(throws: JSONError.self) { try JSONValue.parse([0x22] + bytes) }
    #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
  }

  @Test func everyScalarBoundaryIsAccepted() throws {
    for scalar in [0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF] as [UInt32]
    {
      let text = String(Character(try #require(UnicodeScalar(scalar))))
      #expect(try JSONValue.parse("\"\(text)\"").string == text)
    }
  }

  @Test func depthIsLimited() throws {
    let nested = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    #expect(throws: Never.self) { try JSONValue.parse(nested(128)) }
    let error = #expect(throws: JSONError.self) { try JSONValue.parse(nested(129)) }
    #expect(error?.offset == 128)
    #expect(throws: JSONError.self) {
      try JSONValue.parse(String(repeating: "{\"a\":", count: 1_000_000))
    }
    #expect(throws: JSONError.self) {
      try JSONValue.parse("[[]]", options: JSONOptions(maximumDepth: 1))
    }
  }

  @Test func nonFiniteNumbersAreAnOption() throws {
    let text = "[-Infinity, Infinity, NaN, -1]"
    let values = try #require(try JSONValue.parse(text, options: .python).array)
    #expect(values[0] == .double(-.infinity))
    #expect(values[1] == .double(.infinity))
    #expect(values[2].double?.isNaN == true)
    #expect(values[3] == -1)
    #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    #expect(throws: JSONError.self) { try JSONValue.parse("Inf", options: .python) }
    #expect(throws: JSONError.self) { try JSONValue.parse("-NaN", options: .python) }
  }

  @Test func errorsReadWell() {
    let error = #expect(throws: JSONError.self) { try JSONValue.parse("{\"a\": 1,\n \"a\": 2}") }
    #expect(error?.description == "line 2, column 2 (byte 10): the key \"a\" appears twice")
  }

  @Test func mutatedTextNeverCrashes() {
    let text = Array(
      #"{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00é"],"b":{"c":[],"d":{}},"e":"\n\"","f":-0}"#
        .utf8)
    var state: UInt64 = 1
    func random(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % n
    }
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = text
      for _ in 0...random(3) {
        switch random(4) {
        case 0: bytes[random(bytes.count)] ^= 1 << random(8)
        case 1: bytes.remove(at: random(bytes.count))
        case 2: bytes.insert(text[random(text.count)], at: random(bytes.count))
        default: bytes[random(bytes.count)] = UInt8(random(256))
        }
      }
      guard let value = try? JSONValue.parse(bytes, options: .python) else { continue }
      accepted += 1
      // What was accepted is written and read back as the same value.
      let again = try? JSONValue.parse(
        value.utf8(JSONStyle(writesNonFinite: true)), options: .python)
      #expect(again == value)
    }
    #expect(accepted > 1000 && accepted < 19_000)
  }
}
