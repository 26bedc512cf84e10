import ItoComponents

/// Where models are fetched from and kept, as the variables of the Hugging Face tools say.
///
/// `HF_HOME` (else `$XDG_CACHE_HOME/huggingface`, else `~/.cache/huggingface`), `HF_HUB_CACHE` (or
/// `HUGGINGFACE_HUB_CACHE`), `HF_ENDPOINT`, `HF_HUB_OFFLINE` (or `TRANSFORMERS_OFFLINE`), `HF_TOKEN`,
/// else the file `HF_TOKEN_PATH` or `$HF_HOME/token`, and `HF_HUB_DOWNLOAD_TIMEOUT` in seconds.
public struct HubSettings: Sendable, Hashable {
  /// The folder of the cache.
  public var cache: String
  /// The server, without a slash at the end.
  public var endpoint: String
  /// What proves who asks. Sent to `endpoint`'s host and no other.
  public var token: String?
  /// Whether the network may not be used.
  public var isOffline: Bool
  /// Seconds to connect, and seconds without a byte, before giving up.
  public var timeout: Int

  /// The settings that a process with these variables has.
  public init(environment: [String: String]) {
    func value(_ names: String...) -> String? {
      names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
    let user = environment["HOME"] ?? "."
    let home = Self.expanded(
      value("HF_HOME") ?? (value("XDG_CACHE_HOME") ?? "\(user)/.cache") + "/huggingface", user)
    cache = Self.expanded(value("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? home + "/hub", user)
    var endpoint = value("HF_ENDPOINT") ?? "https://huggingface.co"
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    self.endpoint = endpoint
    isOffline = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].contains {
      ["1", "ON", "YES", "TRUE"].contains((environment[$0] ?? "").uppercased())
    }
    timeout = max(1, value("HF_HUB_DOWNLOAD_TIMEOUT").flatMap { Int($0) } ?? 10)
    token = Self.trimmed(environment["HF_TOKEN"] ?? environment["HUGGING_FACE_HUB_TOKEN"])
    if token == nil {
      let file = Self.expanded(value("HF_TOKEN_PATH") ?? home + "/token", user)
      let bytes = try? readFile(file, limit: 4096)
      token = Self.trimmed(bytes.map { String(decoding: $0, as: UTF8.self) })
    }
  }

  private static func expanded(_ path: String, _ user: String) -> String {
    path == "~" || path.hasPrefix("~/") ? user + path.dropFirst() : path
  }

  /// `text` without space around it; nil when nothing is left or it could not stand in a header.
  private static func trimmed(_ text: String?) -> String? {
    let text = (text ?? "").split(whereSeparator: \.isWhitespace)
    guard text.count == 1, text[0].utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    return String(text[0])
  }
}
