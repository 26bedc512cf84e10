/// A repository on the hub and a revision of it.
public struct RepositoryName: Sendable, Hashable, CustomStringConvertible {
  /// `organisation/name`
  public var name: String
  /// A branch, a tag or a commit.
  public var revision: String

  /// The repository `text` names: `organisation/name` or `organisation/name@revision`.
  public init(_ text: String) throws(HubError) {
    let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ Self.isName($0) }) else { throw .name(text) }
    name = String(halves[0])
    revision = halves.count == 2 ? String(halves[1]) : "main"
    // A branch may have slashes (`refs/pr/1`), but is never a path that leads elsewhere.
    let steps = revision.split(separator: "/", omittingEmptySubsequences: false)
    guard steps.allSatisfy({ Self.isName($0) }) else { throw .name(text) }
  }

  /// Whether `text` could name a repository, so that it is worth asking for.
  public static func isPlausible(_ text: String) -> Bool { (try? RepositoryName(text)) != nil }

  /// `organisation/name@revision`
  public var description: String { revision == "main" ? name : "\(name)@\(revision)" }

  /// `models--organisation--name`
  var folder: String { "models--" + name.split(separator: "/").joined(separator: "--") }

  /// Letters, digits, `-`, `_` and `.`, not beginning with a dot or dash.
  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 96, first != 0x2E, first != 0x2D else {
      return false
    }
    return !text.contains("..")
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
      }
  }
}
