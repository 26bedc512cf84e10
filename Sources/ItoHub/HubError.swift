public import ItoComponents

/// Why a model could not be fetched.
public enum HubError: Error, Sendable, Hashable {
  /// The name is not `organisation/name[@revision]`.
  case name(String)
  /// The repository, or its revision, is not there, or not for the eyes of this token.
  case missing(repository: String, revision: String, endpoint: String, hasToken: Bool)
  /// The repository is there but its owner has not let this token in.
  case gated(repository: String, endpoint: String, hasToken: Bool)
  /// It may not be asked for, or not be reached, and is not in the cache.
  case notCached(repository: String, revision: String, cache: String, reason: String)
  /// The server answered with an error.
  case status(Int, url: String, detail: String)
  /// The server did not answer, or stopped.
  case connection(url: String, reason: String)
  /// The server's answer makes no sense.
  case answer(url: String, reason: String)
  /// What arrived is not what was announced.
  case damaged(file: String, reason: String)
  /// The repository has nothing to load.
  case nothingToLoad(repository: String, reason: String)
  /// The operating system refused.
  case file(FileError)
  /// The person stopped it. What has arrived is kept, and the next attempt goes on from there.
  case cancelled
}

extension HubError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .name(let text):
      "'\(text)' is no name of a repository; write organisation/name, with @revision if you want one "
        + "that is not 'main'."
    case .missing(let repository, let revision, let endpoint, let hasToken):
      "\(endpoint) has no model '\(repository)' with a revision '\(revision)'"
        + (hasToken
          ? " that your token may see. Check the spelling, and the token's rights."
          : ", or it is private. Check the spelling, or set HF_TOKEN to a token that may see it.")
    case .gated(let repository, let endpoint, let hasToken):
      "'\(repository)' is gated: its owner asks you to accept a licence. Accept it at "
        + "\(endpoint)/\(repository)"
        + (hasToken
          ? " with the account your token belongs to, then try again."
          : ", make a token at \(endpoint)/settings/tokens, set HF_TOKEN to it, and try again.")
    case .notCached(let repository, let revision, let cache, let reason):
      "'\(repository)' (revision '\(revision)') is not, or not whole, in the cache '\(cache)', and "
        + "\(reason)."
    case .status(let status, let url, let detail):
      "\(url) answered with status \(status)\(detail.isEmpty ? "" : " (\(detail))"). "
        + (status == 429 || status >= 500
          ? "Wait a while and try again; what has arrived is kept."
          : "Check the address and your rights.")
    case .connection(let url, let reason):
      "\(url) could not be read: \(reason). Check the network (and http_proxy, HF_ENDPOINT) and try "
        + "again; what has arrived is kept."
    case .answer(let url, let reason):
      "\(url) gave an answer that makes no sense: \(reason). Check HF_ENDPOINT."
    case .damaged(let file, let reason):
      "'\(file)' arrived damaged: \(reason). It was deleted; try again."
    case .nothingToLoad(let repository, let reason): "'\(repository)' cannot be used: \(reason)."
    case .file(let error): error.description
    case .cancelled: "Stopped. What has arrived is kept; the same command goes on from there."
    }
  }
}
