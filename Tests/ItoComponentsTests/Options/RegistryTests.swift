import ItoComponents
import Testing

private protocol Shape: Sendable { var area: Double { get } }

private struct Square: Shape, Configurable {
  static let name = "square"
  static let aliases = ["Regular 4-gon", "quadrat"]
  static let summary = "four equal sides"
  enum Unit: String, CaseIterable { case metre, sevenLeagues = "seven-leagues" }
  var side: Double
  var copies: Int
  var isFilled: Bool
  var unit: Unit
  var title: String
  var cuts: [Double]?
  init(options: inout OptionReader) throws(OptionError) {
    side = try options.double("side", default: 1, in: 0...10)
    copies = try options.int("number-of-copies", default: 1, in: 1...9)
    isFilled = try options.bool("filled", default: false)
    unit = try options.choice("unit", default: .metre)
    title = try options.string("title", default: "untitled")
    cuts = try options.doubles("cuts")
  }
  var area: Double { side * side * Double(copies) }
}

private struct Disc: Shape, Configurable {
  static let name = "disc"
  var radius: Double
  init(options: inout OptionReader) throws(OptionError) {
    guard let radius = try options.double("radius") else { throw .missing(key: "radius") }
    self.radius = radius
  }
  var area: Double { 3 * radius * radius }
}

private let registry = Registry<any Shape>([
  .init(Square.self) { $0 },
  .init(Disc.self) { $0 },
  .init(name: "big-square", aliases: ["huge"]) { (options) throws(OptionError) in
    var square = try Square(options: &options)
    square.side *= 10
    return square
  },
])

@Suite struct RegistryTests {
  @Test func defaultsAndOptions() throws {
    #expect(try registry.make("square").area == 1)
    #expect(try registry.make("square", options: ["side": 2, "number_of_copies": 3.0]).area == 12)
    #expect(try registry.make("big-square", options: ["side": 2]).area == 400)
  }

  @Test("any spelling of a name or alias", arguments: ["Square", "QUADRAT", "regular 4gon"])
  func aliases(name: String) throws {
    #expect(try registry.make(name) is Square)
    #expect(registry.contains(name))
  }

  @Test func namesAreSortedAndEntriesAreNot() {
    #expect(registry.names == ["big-square", "disc", "square"])
    #expect(registry.entries.map(\.name) == ["square", "disc", "big-square"])
    #expect(registry.entries[0].summary == "four equal sides")
  }

  @Test func unknownNamesSuggest() {
    let error = #expect(throws: OptionError.self) { try registry.make("sqaure") }
    #expect("\(error!)".contains("Did you mean 'square'?"))
    let alias = #expect(throws: OptionError.self) { try registry.make("quadrut") }
    #expect("\(alias!)".contains("Did you mean 'quadrat'?"))
    let nothing = #expect(throws: OptionError.self) { try registry.make("zzz") }
    #expect(nothing == .unknownComponent("zzz", known: registry.names))
    #expect(!"\(nothing!)".contains("Did you mean"))
  }

  @Test func unknownOptionsSuggest() {
    let known = ["side", "number-of-copies", "filled", "unit", "title", "cuts"]
    let error = #expect(throws: OptionError.unknownKeys(["sidde"], known: known)) {
      try registry.make("square", options: ["sidde": 2])
    }
    #expect("\(error!)".contains("did you mean 'side'?"))
  }

  @Test func wrongTypes() {
    func failure(_ options: OptionReader) -> OptionError? {
      #expect(throws: OptionError.self) { try registry.make("square", options: options) }
    }
    #expect(
      failure(["side": "wide"])
        == .wrongType(key: "side", expected: "a number", found: "a string"))
    #expect(
      failure(["number-of-copies": 1.5])
        == .wrongType(key: "number-of-copies", expected: "an integer", found: "1.5"))
    #expect(
      failure(["filled": 1])
        == .wrongType(key: "filled", expected: "true or false", found: "an integer"))
    #expect(failure(["title": true]) != nil)
    #expect(failure(["cuts": [1, "two"]]) != nil)
    #expect(
      failure(["side": 11])
        == .invalidValue(key: "side", value: "11.0", allowed: "0.0...10.0"))
    #expect(failure(["number-of-copies": 0]) != nil)
    #expect(failure(OptionReader(["side": .double(.nan)])) != nil)
    #expect(failure(["unit": "mile"])?.description.contains("seven-leagues") == true)
  }

  @Test func bothSpellingsOfOneKeyAreAnError() {
    let options = OptionReader(["number-of-copies": 1, "number_of_copies": 2])
    #expect(throws: OptionError.self) { try registry.make("square", options: options) }
  }

  @Test func choicesListsAndText() throws {
    let options: OptionReader = ["unit": "seven_leagues", "cuts": [1, 2.5], "title": 7]
    let square = try #require(try registry.make("square", options: options) as? Square)
    #expect(square.unit == .sevenLeagues)
    #expect(square.cuts == [1, 2.5])
    #expect(square.title == "7")
  }

  @Test func optionsDescribeThemselves() throws {
    let options = try registry.options(of: "square")
    #expect(options.map(\.key).prefix(2) == ["side", "number-of-copies"])
    #expect(options[0].type == "number 0.0...10.0")
    #expect(options[3].type == "metre | seven-leagues")
    #expect(options[3].fallback == "metre")
    #expect(options[5].fallback == nil)
    #expect(try registry.options(of: "disc").map(\.key) == ["radius"])
    #expect(throws: OptionError.missing(key: "radius")) { try registry.make("disc") }
  }
}

@Suite struct ComponentChoiceTests {
  @Test func parsesNamesAndOptions() throws {
    let choice = try ComponentChoice(
      parsing: "first-block: threshold=0.1,warmup = 3,verbose,title='a,b=c:d',at=[1, 2.5]")
    #expect(choice.name == "first-block")
    #expect(
      choice.options == [
        "threshold": 0.1, "warmup": 3, "verbose": true, "title": "a,b=c:d", "at": [1, 2.5],
      ])
    #expect(try ComponentChoice(parsing: "euler") == ComponentChoice("euler"))
  }

  @Test("description reads back", arguments: ["a", "a:b=1", "a:b='1',c=x,d=[1,[2,t]],e='u,v'"])
  func roundTrip(text: String) throws {
    let choice = try ComponentChoice(parsing: text)
    #expect(choice.description == text)
    #expect(try ComponentChoice(parsing: choice.description) == choice)
  }

  @Test("malformed text", arguments: ["", ":a=1", "x:=1", "x:a=1,a=2", "x:", "x:a=1,"])
  func malformed(text: String) {
    #expect(throws: OptionError.self) { try ComponentChoice(parsing: text) }
  }

  @Test func valuesFromWords() {
    #expect(OptionValue(word: " 12 ") == 12)
    #expect(OptionValue(word: "-1e-3") == -1e-3)
    #expect(OptionValue(word: "off") == false)
    #expect(OptionValue(word: "nan") == "nan")
    #expect(OptionValue(word: "\"true\"") == "true")
    #expect(OptionValue(word: "[]") == [])
  }

  @Test func valuesFromJSON() {
    #expect(OptionValue([1, 2.5, "x", true] as JSONValue) == [1, 2.5, "x", true])
    #expect(OptionValue(JSONValue.null) == nil)
    #expect(OptionValue([nil] as JSONValue) == nil)
    #expect(OptionValue(["a": 1] as JSONValue) == nil)
  }
}
