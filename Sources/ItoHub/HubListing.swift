import ItoComponents

/// The files of a repository at one commit.
struct HubListing: Sendable {
  /// A file.
  struct File: Sendable, Hashable {
    var path: String
    var size: Int
    /// The name of its contents: SHA-256 of large files, a git hash of small ones.
    var etag: String
    /// The SHA-256 of its contents, of large files.
    var sha256: String?
  }

  /// The commit, 40 hexadecimal digits.
  var commit: String
  var files: [File]

  /// The files that a page of the server's list names.
  static func files(in page: JSONValue, _ url: String) throws(HubError) -> [File] {
    guard let entries = page.array else {
      throw .answer(url: url, reason: "it is no list of files")
    }
    func isFile(_ entry: JSONValue) -> Bool { entry["type"]?.string == "file" }
    // Read and counted first: room for what turns out to be no file could be larger than the answer.
    var count = 0
    for entry in entries where isFile(entry) {
      _ = try file(entry, url)
      count += 1
    }
    var files: [File] = []
    files.reserveCapacity(count)
    for entry in entries where isFile(entry) { files.append(try file(entry, url)) }
    return files
  }

  private static func file(_ entry: JSONValue, _ url: String) throws(HubError) -> File {
    let large = entry["lfs"]
    let digest = large?["oid"]?.string ?? large?["sha256"]?.string
    guard let path = entry["path"]?.string, let size = large?["size"]?.int ?? entry["size"]?.int,
      size >= 0, let etag = digest ?? entry["oid"]?.string, isSafe(path: path),
      (8...128).contains(etag.utf8.count), etag.allSatisfy(\.isHexDigit)
    else { throw .answer(url: url, reason: "it lists a file without a proper path, size or hash") }
    return File(path: path, size: size, etag: etag, sha256: digest)
  }

  /// Whether a path from a server stays below the folder it is put in.
  static func isSafe(path: String) -> Bool {
    guard path.utf8.count <= 1024, !path.utf8.contains(0) else { return false }
    let steps = path.split(separator: "/", omittingEmptySubsequences: false)
    return steps.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }
}

extension HTTPClient {
  /// Longest answer of the server's interface that is read.
  private static let longest = 64 << 20

  /// The files of `repository` at its revision.
  func listing(of repository: RepositoryName) throws(HubError) -> HubListing {
    let base = "\(settings.endpoint)/api/models/\(repository.name)"
    let revision = URLParts.escaped(repository.revision).replacing("/", with: "%2F")
    let about = try json("\(base)/revision/\(revision)", repository)
    guard let commit = about.value["sha"]?.string, commit.utf8.count == 40,
      commit.allSatisfy(\.isHexDigit)
    else { throw .answer(url: base, reason: "it names no commit") }
    var files: [HubListing.File] = []
    var next: String? = "\(base)/tree/\(commit)?recursive=true"
    var pages = 0
    while let url = next {
      pages += 1
      guard pages <= 1000 else { throw .answer(url: url, reason: "its list of files has no end") }
      let page = try json(url, repository)
      files += try HubListing.files(in: page.value, url)
      next = page.next
    }
    return HubListing(commit: commit, files: files)
  }

  /// A JSON document, and the address of the next page of it.
  private func json(
    _ url: String, _ repository: RepositoryName
  ) throws(HubError) -> (value: JSONValue, next: String?) {
    var attempts = 0
    while true {
      var bytes: [UInt8] = []
      let answer = try get(url) { piece in
        bytes.append(contentsOf: piece)
        return bytes.count <= Self.longest
      }
      if let interruption = answer.interruption {
        attempts += 1
        if attempts >= 4 || bytes.count > Self.longest { throw interruption }
        try wait(Double(attempts))
        continue
      }
      if let error = failure(of: answer, repository) { throw error }
      // Without the room it has to grow, which may be as much again.
      bytes = [UInt8](unsafeUninitializedCapacity: bytes.count) { out, count in
        count = out.initialize(fromContentsOf: bytes)
      }
      do {
        return (try JSONValue.parse(bytes), nextPage(answer))
      } catch {
        throw .answer(url: url, reason: "it is not JSON (\(error))")
      }
    }
  }

  /// What a status means for the person; nil when it is a success.
  func failure(of answer: Answer, _ repository: RepositoryName) -> HubError? {
    if answer.status == 200 || answer.status == 206 { return nil }
    let code = answer.headers["x-error-code"] ?? ""
    let hasToken = settings.token != nil
    if code == "GatedRepo" || (answer.status == 403 && code.isEmpty) {
      return .gated(
        repository: repository.name, endpoint: settings.endpoint, hasToken: hasToken)
    }
    if answer.status == 401 || answer.status == 404 && code != "EntryNotFound" {
      return .missing(
        repository: repository.name, revision: repository.revision, endpoint: settings.endpoint,
        hasToken: hasToken)
    }
    return .status(
      answer.status, url: answer.url, detail: answer.headers["x-error-message"] ?? "")
  }

  /// `Link: <address>; rel="next"`
  private func nextPage(_ answer: Answer) -> String? {
    guard let link = answer.headers["link"] else { return nil }
    for part in link.split(separator: ",") where part.contains("rel=\"next\"") {
      guard let open = part.firstIndex(of: "<"), let close = part.firstIndex(of: ">") else {
        continue
      }
      return URLParts(answer.url)?.resolving(String(part[part.index(after: open)..<close]))
    }
    return nil
  }
}
