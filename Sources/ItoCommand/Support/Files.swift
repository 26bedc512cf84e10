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
