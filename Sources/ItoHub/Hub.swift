import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Models on the Hugging Face hub, or a mirror of it, and those already fetched.
///
/// Nothing is loaded and no connection made until a repository is pulled, and a pulled one is used
/// without asking the server again.
public struct Hub: Sendable {
  /// How far a pull is.
  public struct Progress: Sendable, Hashable {
    /// The file being fetched.
    public var file: String
    /// Bytes there, of all files needed.
    public var done: Int
    /// Bytes of all files needed.
    public var total: Int
  }

  /// Where models are fetched from and kept.
  public var settings: HubSettings
  private let isCancelled: @Sendable () -> Bool

  /// The hub of these settings.
  ///
  /// - Parameter isCancelled: asked several times a second whether to stop.
  public init(
    _ settings: HubSettings, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    self.settings = settings
    self.isCancelled = isCancelled
  }

  /// The folder of a repository that is in the cache; nil when it is not. Never uses the network.
  public func cached(_ repository: RepositoryName) -> String? {
    let cache = HubCache(settings.cache, repository)
    guard let snapshot = cache.snapshot(of: repository.revision) else { return nil }
    return Self.missingParts(of: snapshot).isEmpty ? snapshot : nil
  }

  /// Fetches what a model needs and is not in the cache, and returns its folder.
  ///
  /// - Parameters:
  ///   - variant: of the weights, `fp16`; nil for the plain ones.
  ///   - files: names of the files wanted; empty for what the model needs.
  ///   - progress: told how far it is.
  public func pull(
    _ repository: RepositoryName, variant: String? = nil, files: [String] = [],
    progress: (Progress) -> Void = { _ in }
  ) throws(HubError) -> String {
    let cache = HubCache(settings.cache, repository)
    if settings.isOffline {
      return try offline(repository, cache, "HF_HUB_OFFLINE forbids to fetch it")
    }
    let client = HTTPClient(settings: settings, isCancelled: isCancelled)
    let listing: HubListing
    do {
      listing = try client.listing(of: repository)
    } catch .connection(let url, let reason) {
      // What is there is better than nothing when the server cannot be asked.
      if let known = cached(repository) { return known }
      throw .connection(url: url, reason: reason)
    }
    func fetch(_ file: HubListing.File, _ before: Int, _ total: Int) throws(HubError) {
      let download = HubDownload(
        client: client, cache: cache, repository: repository, commit: listing.commit, file: file)
      try download.run { progress(Progress(file: file.path, done: before + $0, total: total)) }
      try cache.link(file.path, to: file.etag, commit: listing.commit)
    }
    var index: JSONValue?
    if files.isEmpty, let file = listing.files.first(where: { $0.path == FileSelection.index }) {
      try fetch(file, 0, file.size)
      index = try Self.json("\(cache.snapshot(listing.commit))/\(FileSelection.index)")
    }
    let selection = FileSelection(variant: variant, names: files)
    let needed = try selection.files(of: listing, index: index, repository: repository)
    let total = needed.reduce(0) { $0 + $1.size }
    var done = 0
    for file in needed {
      try fetch(file, done, total)
      done += file.size
    }
    // Last, so that a revision is known only when all of it is there.
    try cache.setReference(repository.revision, listing.commit)
    return cache.snapshot(listing.commit)
  }

  private func offline(
    _ repository: RepositoryName, _ cache: HubCache, _ reason: String
  ) throws(HubError) -> String {
    guard let snapshot = cache.snapshot(of: repository.revision) else {
      throw .notCached(
        repository: repository.name, revision: repository.revision, cache: settings.cache,
        reason: reason)
    }
    let missing = Self.missingParts(of: snapshot)
    guard missing.isEmpty else {
      throw .notCached(
        repository: repository.name, revision: repository.revision, cache: settings.cache,
        reason: "\(reason); of its parts, \(missing.joined(separator: ", ")) are missing")
    }
    return snapshot
  }

  /// Parts that a pipeline's index names and the folder lacks.
  private static func missingParts(of snapshot: String) -> [String] {
    guard let index = try? json("\(snapshot)/\(FileSelection.index)") else { return [] }
    return (index.object ?? [:]).compactMap { name, value in
      guard !name.hasPrefix("_"), value[1]?.string != nil, !FileSelection.unused.contains(name)
      else {
        return nil
      }
      return HubCache.isFolder("\(snapshot)/\(name)") ? nil : name
    }
  }

  private static func json(_ path: String) throws(HubError) -> JSONValue {
    do {
      return try JSONValue.parse(try readFile(path, limit: 1 << 24), options: .python)
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .answer(url: path, reason: "it is not JSON (\(error))")
    }
  }
}
