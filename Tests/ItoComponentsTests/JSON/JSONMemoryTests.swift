import ItoCAllocations
import Testing

@testable import ItoComponents

/// Documents of several megabytes made to take much memory, and large ones as they are published.
@Suite("Memory of the JSON reader", .enabled(if: ito_allocations_counted()))
struct JSONMemoryTests {
  /// A text of about four megabytes: `piece` again and again, with a number in place of `#`.
  private static func text(
    _ begin: String, _ piece: String, _ end: String, separator: String = ","
  ) -> String {
    let count = (4 << 20) / (piece.utf8.count + separator.utf8.count)
    // Taken apart once: replacing in each piece takes longer than the reader does.
    let parts = piece.split(separator: "#", omittingEmptySubsequences: false)
    var text = begin
    for i in 0..<count {
      if i > 0 { text += separator }
      text += parts[0]
      for part in parts.dropFirst() { text += String(i, radix: 36) + part }
    }
    return text + end
  }

  private static let letters =
    "{\((0..<17).map { "\"\(Character(UnicodeScalar(97 + UInt8($0))))\":0" }.joined(separator: ","))}"

  static let hostile: [(name: String, text: String)] = [
    ("digits", text("[", "0", "]")), ("no numbers", text("[", "NaN", "]")),
    ("fractions", text("[", "1.1", "]")), ("long fractions", text("[", "1.23456789", "]")),
    ("minus zeros", text("[", "-0", "]")), ("empty arrays", text("[", "[]", "]")),
    ("empty objects", text("[", "{}", "]")), ("empty strings", text("[", "\"\"", "]")),
    ("arrays of one", text("[", "[0]", "]")), ("objects of one", text("[", "{\"\":0}", "]")),
    ("objects of seventeen", text("[", letters, "]")),
    ("many keys", text("{", "\"#\":0", "}")), ("one key again", text("{", "\"#\":0", ",\"0\":1}")),
    (
      "nested keys",
      text(
        String(repeating: "{\"\":", count: 99) + "[", "{\"#\":0}",
        "]" + String(repeating: "}", count: 99))
    ),
    ("deep", text(String(repeating: "[", count: 128), "0", String(repeating: "]", count: 128))),
    ("one string", text("\"", "#", "\"", separator: "")),
    ("escapes", text("\"", #"\n"#, "\"", separator: "")),
    ("characters", text("\"", #"\u00e9"#, "\"", separator: "")),
    ("one key", text("{\"", "#", "\":0}", separator: "")),
    (
      "a long key again",
      text("{\"", "a", "\":0,", separator: "") + text("\"", "a", "\":0}", separator: "")
    ),
    ("open", text("[", "[0,[", "")), ("wrong at the end", text("[", "{\"a\":[0]}", ",]")),
    ("a number too long", text("", "9", "", separator: "")),
  ]

  @Test("no document takes more than four times its size", arguments: hostile.indices)
  func hostileDocuments(_ number: Int) throws {
    let (name, text) = Self.hostile[number]
    let bytes = Array(text.utf8)
    let start = ito_allocations_begin()
    let value = try? JSONValue.parse(bytes, options: .python)
    let taken = Int(ito_allocations_peak() - start)
    // The text itself is in memory, too.
    #expect(
      bytes.count + taken <= 4 * bytes.count + 1 << 20, "\(name): \(taken) for \(bytes.count)")
    // Going through it takes nothing more.
    let before = ito_allocations_begin()
    if let value { #expect(Self.leaves(value) > 0) }
    #expect(ito_allocations_peak() - before < bytes.count + 1 << 16, "\(name)")
  }

  /// Numbers, texts and the like in a value.
  private static func leaves(_ value: JSONValue) -> Int {
    switch value {
    case .array(let elements): elements.reduce(1) { $0 + leaves($1) }
    case .object(let members): members.reduce(1) { $0 + leaves($1.value) }
    default: 1
    }
  }

  static let published: [(name: String, text: String)] = [
    ("vocabulary", text("{", "\"word#</w>\":40000", "}")),
    ("indented", text("{\n", "    \"word#</w>\": 40000", "\n}", separator: ",\n")),
    ("merges", text("{\"merges\":[", "\"wo rd#</w>\"", "]}")),
    ("merges as pairs", text("{\"merges\":[", "[\"wo\",\"rd#</w>\"]", "]}")),
    (
      "header",
      text(
        "{",
        "\"unet.down_blocks.1.attentions.#.to_q.weight\":{\"dtype\":\"F16\",\"shape\":[1280,1280],\"data_offsets\":[1234567890,1234567899]}",
        "}")
    ),
    (
      "index",
      text(
        "{\"weight_map\":{",
        "\"text_model.encoder.layers.#.weight\":\"model-00001-of-00002.safetensors\"",
        "}}")
    ),
    (
      "listing",
      text(
        "[",
        #"{"type":"file","oid":"0123456789abcdef0123456789abcdef01234567","size":12345,"path":"unet/#.json"}"#,
        "]")
    ),
  ]

  @Test("published documents stay in about as much as their text", arguments: published.indices)
  func publishedDocuments(_ number: Int) throws {
    let (name, text) = Self.published[number]
    let bytes = Array(text.utf8)
    let start = ito_allocations_begin()
    let value = try JSONValue.parse(bytes)
    #expect(
      bytes.count + Int(ito_allocations_peak() - start) <= 4 * bytes.count + 1 << 16, "\(name)")
    #expect(Int(ito_allocations_now() - start) <= 5 * bytes.count / 4 + 1 << 12, "\(name)")
    #expect(value.text().utf8.count > bytes.count / 2)
  }
}
