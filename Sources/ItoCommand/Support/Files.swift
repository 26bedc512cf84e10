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
  guard let handle = opendir(folder) else { return }
  defer {
    closedir(handle)
    rmdir(folder)
  }
  while let entry = readdir(handle) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name == "." || name == ".." { continue }
    let path = folder + "/" + name
    // A folder cannot be unlinked; a link to one is not followed.
    if unlink(path) != 0 { removeFolder(path) }
  }
}
