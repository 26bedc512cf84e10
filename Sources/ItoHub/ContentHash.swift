import ItoCHub

/// How a repository names contents: by SHA-256 those kept apart because they are large, by git's name
/// for them, SHA-1 of a short header and the contents, the others.
struct ContentHash {
  /// What it is called in messages.
  let name: String
  private var state: State

  private enum State {
    case large(ito_sha256)
    case git(ito_sha1)
  }

  /// SHA-256.
  static var sha256: ContentHash {
    var hash = ito_sha256()
    ito_sha256_begin(&hash)
    return ContentHash(name: "SHA-256", state: .large(hash))
  }

  /// git's name of a blob of `size` bytes.
  ///
  /// - Source: *Pro Git*, section 10.2, "Git Objects".
  static func git(size: Int) -> ContentHash {
    var hash = ito_sha1()
    ito_sha1_begin(&hash)
    let header = Array("blob \(size)\0".utf8)
    ito_sha1_add(&hash, header, Int64(header.count))
    return ContentHash(name: "git hash", state: .git(hash))
  }

  /// Adds the next `count` of `bytes`.
  mutating func add(_ bytes: [UInt8], count: Int) {
    switch state {
    case .large(var hash):
      ito_sha256_add(&hash, bytes, Int64(count))
      state = .large(hash)
    case .git(var hash):
      ito_sha1_add(&hash, bytes, Int64(count))
      state = .git(hash)
    }
  }

  /// The hash of what was added, in hexadecimal digits.
  func digest() -> String {
    var bytes: [UInt8]
    switch state {
    case .large(var hash):
      bytes = [UInt8](repeating: 0, count: 32)
      ito_sha256_end(&hash, &bytes)
    case .git(var hash):
      bytes = [UInt8](repeating: 0, count: 20)
      ito_sha1_end(&hash, &bytes)
    }
    let digits = Array("0123456789abcdef")
    return bytes.reduce(into: "") { $0 += String([digits[Int($1 >> 4)], digits[Int($1 & 15)]]) }
  }
}
