import ItoComponents

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes `folder` and those above it where they do not exist yet.
func makeFolder(_ folder: String) throws {
  var path = folder.hasPrefix("/") ? "/" : ""
  for part in folder.split(separator: "/") {
    path += (path.isEmpty || path.hasSuffix("/") ? "" : "/") + part
    if mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw CommandFailure(
        "Cannot make the folder \(path): \(String(cString: strerror(errno))). Choose another place."
      )
    }
  }
}

/// Deletes `folder` and everything in it; what cannot be deleted stays.
func removeFolder(_ folder: String) {
  for name in entries(of: folder) {
    let path = folder + "/" + name
    // A folder cannot be unlinked; a link to one is not followed.
    if unlink(path) != 0 { removeFolder(path) }
  }
  rmdir(folder)
}

/// Copies the files in `folder` and in those below it, but for the one called `omitted`, into `target`.
func copyFolder(_ folder: String, to target: String, except omitted: String) throws {
  try makeFolder(target)
  for name in entries(of: folder) where name != omitted {
    let path = folder + "/" + name
    if isFolder(path) {
      try copyFolder(path, to: target + "/" + name, except: "")
    } else {
      try AtomicFile.write(target + "/" + name, bytes: try readFile(path, limit: 1 << 34))
    }
  }
}

/// Whether `path` is a folder.
func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The names in `folder`, sorted; none when it cannot be read.
private func entries(of folder: String) -> [String] {
  guard let handle = opendir(folder) else { return [] }
  defer { closedir(handle) }
  var names: [String] = []
  while let entry = readdir(handle) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Whether both paths lead to one file, links followed.
func isSameFile(_ first: String, _ second: String) -> Bool {
  var a = stat()
  var b = stat()
  return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev
    && a.st_ino == b.st_ino
}
