import ItoComponents
import ItoImages

/// What a CSV or JSONL file says about the pictures of a folder.
///
/// One record a picture, with the picture's path relative to the folder under `file_name` (or `file`,
/// `image`, `path`), its caption under `text` (or `caption`, `prompt`) and its class under `label` (or
/// `class`), a number or a name. A JSONL record may have several captions under `texts`, each a text or
/// `{"text": …, "background": "#rrggbb"}`, and a `weight`: how often it is drawn, 1 unless given. Other
/// columns are ignored.
struct ImageIndex {
  struct Record: Hashable {
    var line: Int
    var file: String
    var captions: [Caption] = []
    var label: String?
    var weight = 1.0
  }

  let path: String
  private(set) var records: [Record] = []

  private static let fileNames = ["file_name", "file", "image", "path"]
  private static let captionNames = ["text", "caption", "prompt"]
  private static let labelNames = ["label", "class"]

  private let labels: [String]

  /// Reads the file at `path`.
  ///
  /// - Parameter label: what the class is under, instead of the usual names.
  init(_ path: String, label: String? = nil) throws(DataError) {
    self.path = path
    labels = label.map { [$0] } ?? Self.labelNames
    let text = try readText(path)
    if path.lowercased().hasSuffix(".csv") {
      try readCSV(text)
    } else {
      try readLines(text)
    }
    guard !records.isEmpty else { throw .empty(path: path, reason: "it has no records") }
    for (has, name) in [
      (records.count { !$0.captions.isEmpty }, "caption"),
      (records.count { $0.label != nil }, "label"),
    ] where has != 0 && has != records.count {
      throw .corrupt(
        path: path, reason: "\(records.count - has) of \(records.count) records have no \(name)")
    }
  }

  private mutating func readCSV(_ text: String) throws(DataError) {
    let rows = try CSV(text, path: path).rows
    guard let header = rows.first?.fields else { return }
    func column(_ names: [String]) -> Int? {
      names.lazy.compactMap { header.firstIndex(of: $0) }.first
    }
    guard let file = column(Self.fileNames) else {
      throw .corrupt(path: path, reason: "its first line names no column 'file_name'")
    }
    let (caption, label) = (column(Self.captionNames), column(labels))
    for row in rows.dropFirst() {
      guard row.fields.count == header.count else {
        throw .corrupt(
          path: path,
          reason: "line \(row.line) has \(row.fields.count) fields, the first line \(header.count)")
      }
      records.append(
        Record(
          line: row.line, file: row.fields[file],
          captions: caption.map { [Caption(row.fields[$0])] } ?? [],
          label: label.map { row.fields[$0] }))
    }
  }

  private mutating func readLines(_ text: String) throws(DataError) {
    var line = 0
    for content in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line += 1
      if content.allSatisfy(\.isWhitespace) { continue }
      let value: JSONValue
      do { value = try JSONValue.parse(String(content)) } catch {
        throw .corrupt(path: path, reason: "line \(line): \(error.reason)")
      }
      func text(_ names: [String]) throws(DataError) -> String? {
        guard let name = names.first(where: { value[$0] != nil }), let found = value[name] else {
          return nil
        }
        switch found {
        case .string(let text): return text
        case .integer(let number): return "\(number)"
        case .null: return nil
        default:
          throw .corrupt(path: path, reason: "line \(line): '\(name)' is \(found.kind)")
        }
      }
      guard let file = try text(Self.fileNames) else {
        throw .corrupt(path: path, reason: "line \(line) names no 'file_name'")
      }
      var captions = try several(value, line) ?? []
      if captions.isEmpty, let caption = try text(Self.captionNames) {
        captions = [Caption(caption)]
      }
      records.append(
        Record(
          line: line, file: file, captions: captions,
          label: try text(labels), weight: try weight(value, line)))
    }
  }

  /// The captions under `texts`; nil when there is no such list.
  private func several(_ record: JSONValue, _ line: Int) throws(DataError) -> [Caption]? {
    guard let list = record["texts"], list != .null else { return nil }
    func wrong(_ reason: String) -> DataError {
      .corrupt(path: path, reason: "line \(line): \(reason)")
    }
    guard let items = list.array, !items.isEmpty else {
      throw wrong("'texts' is not a list of texts")
    }
    var captions: [Caption] = []
    for item in items {
      guard let text = item.string ?? item["text"]?.string else {
        throw wrong("an element of 'texts' is neither a text nor has one")
      }
      var caption = Caption(text)
      if let color = item["background"], color != .null {
        caption.background = color.string.flatMap { PixelColor(hexadecimal: $0) }
        if caption.background == nil {
          throw wrong("the background \(color) is not like \"#30a0ff\"")
        }
      }
      captions.append(caption)
    }
    return captions
  }

  private func weight(_ record: JSONValue, _ line: Int) throws(DataError) -> Double {
    guard let value = record["weight"], value != .null else { return 1 }
    guard let weight = value.double, weight.isFinite, weight >= 0, weight <= 1e9 else {
      throw .corrupt(path: path, reason: "line \(line): the weight \(value) is not a number from 0")
    }
    return weight
  }
}
