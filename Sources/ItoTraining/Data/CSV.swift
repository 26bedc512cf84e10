/// Rows of comma-separated values (RFC 4180): fields in double quotes may hold commas, line breaks and
/// doubled quotes. Lines end with LF or CRLF; empty lines are left out.
struct CSV {
  /// The rows, the first being the header.
  private(set) var rows: [(line: Int, fields: [String])] = []

  /// Parses `text`; `path` is what errors call it.
  init(_ text: String, path: String) throws(DataError) {
    let bytes = Array(text.utf8)
    var field: [UInt8] = []
    var fields: [String] = []
    var (line, rowLine) = (1, 1)
    var isQuoted = false
    var wasQuoted = false
    var i = 0

    func finishField() {
      fields.append(String(decoding: field, as: UTF8.self))
      field = []
      wasQuoted = false
    }
    func finishRow() {
      if !field.isEmpty || wasQuoted || !fields.isEmpty {
        finishField()
        rows.append((rowLine, fields))
      }
      fields = []
    }
    while i < bytes.count {
      let byte = bytes[i]
      i += 1
      if byte == UInt8(ascii: "\n") { line += 1 }
      switch byte {
      case UInt8(ascii: "\"") where isQuoted:
        if i < bytes.count && bytes[i] == UInt8(ascii: "\"") {
          field.append(byte)
          i += 1
        } else {
          isQuoted = false
        }
      case _ where isQuoted: field.append(byte)
      case UInt8(ascii: "\"") where field.isEmpty && !wasQuoted:
        isQuoted = true
        wasQuoted = true
      case UInt8(ascii: "\""):
        throw .corrupt(path: path, reason: "line \(line): a quote within an unquoted field")
      case UInt8(ascii: ","): finishField()
      case UInt8(ascii: "\r") where i < bytes.count && bytes[i] == UInt8(ascii: "\n"): continue
      case UInt8(ascii: "\n"):
        finishRow()
        rowLine = line
      case _ where wasQuoted:
        throw .corrupt(path: path, reason: "line \(line): text follows a closing quote")
      default: field.append(byte)
      }
    }
    if isQuoted {
      throw .corrupt(path: path, reason: "line \(rowLine): a quote is never closed")
    }
    finishRow()
  }
}
