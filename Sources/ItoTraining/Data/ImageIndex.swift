import ItoComponents

/// What a CSV or JSONL file says about the pictures of a folder.
///
/// One record a picture, with the picture's path relative to the folder under `file_name` (or `file`,
/// `image`, `path`), its caption under `text` (or `caption`, `prompt`) and its class under `label` (or
/// `class`), a number or a name. Other columns are ignored.
struct ImageIndex {
  struct Record: Hashable {
    var line: Int
    var file: String
    var caption: String?
    var label: String?
  }

  let path: String
  private(set) var records: [Record] = []

  private static let fileNames = ["file_name", "file", "image", "path"]
  private static let captionNames = ["text", "caption", "prompt"]
  private static let labelNames = ["label", "class"]

  init(_ path: String) throws(DataError) {
    self.path = path
    let text = try readText(path)
    if path.lowercased().hasSuffix(".csv") {
      try readCSV(text)
    } else {
      try readLines(text)
    }
    guard !records.isEmpty else { throw .empty(path: path, reason: "it has no records") }
    for (has, name) in [
      (records.count { $0.caption != nil }, "caption"),
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
    let (caption, label) = (column(Self.captionNames), column(Self.labelNames))
    for row in rows.dropFirst() {
      guard row.fields.count == header.count else {
        throw .corrupt(
          path: path,
          reason: "line \(row.line) has \(row.fields.count) fields, the first line \(header.count)")
      }
      records.append(
        Record(
          line: row.line, file: row.fields[file], caption: caption.map { row.fields[$0] },
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
      records.append(
        Record(
          line: line, file: file, caption: try text(Self.captionNames),
          label: try text(Self.labelNames)))
    }
  }
}
