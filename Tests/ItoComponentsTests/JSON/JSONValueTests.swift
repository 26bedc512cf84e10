import Testing

@testable import ItoComponents

@Suite("JSON values and writer")
struct JSONValueTests {
  let sample: JSONValue = [
    "b": 1, "a": [1.5, "x\"\u{1}é", nil, []], "c": ["z": true, "y": [:]],
  ]

  @Test func compactKeepsOrder() {
    #expect(
      sample.text() == #"{"b":1,"a":[1.5,"x\"\u0001é",null,[]],"c":{"z":true,"y":{}}}"#)
    #expect(sample.description == sample.text())
  }

  @Test func prettySortsWhenAsked() {
    let expected = """
      {
        "a": [
          1.5,
          "x\\"\\u0001é",
          null,
          []
        ],
        "b": 1,
        "c": {
          "y": {},
          "z": true
        }
      }
      """
    #expect(sample.text(.sorted) == expected)
    #expect(sample.text(.pretty).hasPrefix("{\n  \"b\": 1,\n  \"a\""))
  }

  @Test func everyStyleReadsBack() throws {
    for style in [JSONStyle.compact, .pretty, .sorted] {
      #expect(try JSONValue.parse(sample.text(style)) == sample)
    }
  }

  @Test func doublesReadBackExactly() throws {
    for value in [
      0.1, 1.0, -0.0, 1e-5, 1e16, .leastNonzeroMagnitude, 1.7976931348623157e308, 123_456_789.25,
    ] {
      let back = try #require(try JSONValue.parse(JSONValue.double(value).text()).double)
      #expect(back.bitPattern == value.bitPattern)
    }
  }

  @Test func nonFiniteNumbersAreNullUnlessAsked() {
    let value: JSONValue = .array([.double(.nan), .double(.infinity), .double(-.infinity)])
    #expect(value.text() == "[null,null,null]")
    #expect(value.text(JSONStyle(writesNonFinite: true)) == "[NaN,Infinity,-Infinity]")
  }

  @Test func accessors() {
    #expect(sample["b"]?.int == 1)
    #expect(sample["b"]?.double == 1)
    #expect(sample["b"]?.bool == nil)
    #expect(sample["a"]?[0]?.double == 1.5)
    #expect(sample["a"]?[0]?.int == nil)
    #expect(sample["a"]?[2]?.isNull == true)
    #expect(sample["a"]?[9] == nil)
    #expect(sample["none"] == nil)
    #expect(sample["c"]?["z"]?.bool == true)
    #expect(sample["c"]?.object?.keys == ["z", "y"])
    #expect(sample["a"]?.array?.count == 4)
    #expect(sample["a"]?.kind == "an array")
    #expect(JSONValue.string("q").string == "q")
    #expect(JSONValue.string("q")["k"] == nil)
  }

  @Test("objects of every size find, replace and remove", arguments: [1, 8, 9, 40])
  func objects(_ count: Int) {
    var object = JSONObject()
    for i in 0..<count { object["k\(i)"] = .integer(Int64(i)) }
    #expect(object.count == count)
    #expect(object.keys == (0..<count).map { "k\($0)" })
    for i in 0..<count { #expect(object["k\(i)"]?.int == i) }
    object["k0"] = "new"
    #expect(object.count == count)
    #expect(object["k0"] == "new")
    object["k0"] = nil
    #expect(object["k0"] == nil)
    #expect(object.count == count - 1)
    for i in 1..<count { #expect(object["k\(i)"]?.int == i) }
    let reversed = JSONObject(object.reversed().map { ($0.key, $0.value) })
    #expect(reversed == object)
    #expect(reversed.hashValue == object.hashValue)
    object["more"] = 1
    #expect(reversed != object)
  }
}
