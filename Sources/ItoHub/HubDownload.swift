import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Fetches one file's contents into the cache: what has arrived before is gone on from, size and
/// hash are checked, and the file appears whole or not at all.
struct HubDownload {
  let client: HTTPClient
  let cache: HubCache
  let repository: RepositoryName
  let commit: String
  let file: HubListing.File

  /// How often a connection that brought nothing new may be tried again.
  private static let fruitless = 5

  /// Fetches the contents, if they are not there.
  ///
  /// - Parameter progress: told how many bytes of the file are there.
  func run(_ progress: (Int) -> Void) throws(HubError) {
    let blob = cache.blob(file.etag)
    if HubCache.size(blob) == file.size { return progress(file.size) }
    try HubCache.makeFolders(for: blob)
    try withoutActuallyEscaping(progress) { (progress) throws(HubError) in
      try cache.locking(file.etag) { () throws(HubError) in
        // Another process may have fetched it while this one waited.
        if HubCache.size(blob) == file.size { return progress(file.size) }
        try fetch(to: blob + ".incomplete", progress)
        guard rename(blob + ".incomplete", blob) == 0 else {
          throw .file(FileError(.replace, path: blob, code: errno))
        }
      }
    }
  }

  private func fetch(to path: String, _ progress: @escaping (Int) -> Void) throws(HubError) {
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .file(FileError(.create, path: path, code: errno)) }
    defer { close(descriptor) }
    var failures = 0
    while true {
      var present = HubCache.size(path) ?? 0
      if present > file.size {
        ftruncate(descriptor, 0)
        present = 0
      }
      progress(present)
      if present == file.size { break }
      lseek(descriptor, off_t(present), SEEK_SET)
      let before = present
      let answer = try receive(descriptor, path, &present, progress)
      if let error = client.failure(of: answer, repository) { throw error }
      if let interruption = answer.interruption {
        failures = present > before ? 0 : failures + 1
        if failures >= Self.fruitless { throw interruption }
        try client.wait(present > before ? 0.2 : Double(failures))
      } else if present != file.size {
        unlink(path)
        throw .damaged(file: file.path, reason: "\(present) bytes came instead of \(file.size)")
      }
    }
    guard fsync(descriptor) == 0 else { throw .file(FileError(.flush, path: path, code: errno)) }
    try verify(descriptor, path)
  }

  /// One request for what is missing, written to the file.
  private func receive(
    _ descriptor: Int32, _ path: String, _ present: inout Int, _ progress: (Int) -> Void
  ) throws(HubError) -> HTTPClient.Answer {
    let url =
      "\(client.settings.endpoint)/\(repository.name)/resolve/\(commit)/\(URLParts.escaped(file.path))"
    var total = present
    var failure: HubError?
    let answer = try client.get(url, from: present) { answer in
      // A server that does not know ranges sends the file from its start.
      if answer.status == 200 && total > 0 {
        total = 0
        ftruncate(descriptor, 0)
        lseek(descriptor, 0, SEEK_SET)
      }
      return true
    } receive: { bytes in
      var rest = bytes
      guard total + rest.count <= file.size else {
        failure = .damaged(file: file.path, reason: "more than \(file.size) bytes came")
        unlink(path)
        return false
      }
      while !rest.isEmpty {
        let written = write(descriptor, rest.baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else {
          failure = .file(FileError(.write, path: path, code: errno))
          return false
        }
        total += written
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
      progress(total)
      return true
    }
    present = total
    if let failure { throw failure }
    return answer
  }

  /// The hash that the file's contents are announced with.
  private var expectedHash: (hash: ContentHash, digest: String)? {
    if let digest = file.sha256 { return (.sha256, digest) }
    // A server that plays the hub may name small files in a way of its own.
    return file.etag.utf8.count == 40 ? (.git(size: file.size), file.etag) : nil
  }

  /// Compares the contents' hash with the one announced; a file that differs is deleted.
  private func verify(_ descriptor: Int32, _ path: String) throws(HubError) {
    guard var (hash, expected) = expectedHash else { return }
    lseek(descriptor, 0, SEEK_SET)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .file(FileError(.read, path: path, code: errno)) }
      if count == 0 { break }
      hash.add(buffer, count: count)
      if client.isCancelled() { throw .cancelled }
    }
    expected = expected.lowercased()
    let found = hash.digest()
    guard found == expected else {
      unlink(path)
      throw .damaged(file: file.path, reason: "its \(hash.name) is \(found), not \(expected)")
    }
  }
}
