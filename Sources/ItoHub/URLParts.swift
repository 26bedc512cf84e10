/// The parts of an address that decide where a request goes.
struct URLParts: Hashable {
  var scheme: String
  /// Host and port, in lower case.
  var host: String
  /// The rest, from the first slash on.
  var path: String

  /// Nil when `text` is no http or https address.
  init?(_ text: String) {
    guard let mark = text.firstRange(of: "://") else { return nil }
    scheme = text[..<mark.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { return nil }
    let rest = text[mark.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    host = rest[..<end].lowercased()
    // A name before the host is how an address is made to look like another's.
    guard !host.isEmpty, !host.contains("@") else { return nil }
    path = end == rest.endIndex ? "/" : String(rest[end...])
  }

  /// Whether a secret meant for this address may go to `other`.
  func isSameOrigin(as other: URLParts) -> Bool { scheme == other.scheme && host == other.host }

  /// The address that a redirection from here to `location` leads to.
  func resolving(_ location: String) -> String? {
    if location.hasPrefix("//") { return "\(scheme):\(location)" }
    if location.hasPrefix("/") { return "\(scheme)://\(host)\(location)" }
    return URLParts(location) == nil ? nil : location
  }

  /// `text` with everything but unreserved characters and slashes as `%XX`.
  static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { result, byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E:
        result.unicodeScalars.append(UnicodeScalar(byte))
      default: result += "%" + String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      }
    }
  }
}
