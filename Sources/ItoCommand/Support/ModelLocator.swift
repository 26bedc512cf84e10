import ItoHub

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Finds model folders.
enum ModelLocator {
  /// The model drawn with when none is named.
  static let defaultModel = "emoji"

  /// The folder or file of `name`: a path as given, the name of a model that comes with Itô, or one on
  /// the hub, which is fetched if it is not in the cache.
  ///
  /// Looked for in ITO_MODELS, in `Models` under the working directory, and in `Models` beside or
  /// above the program.
  static func folder(_ name: String) throws -> String {
    if isFile(name + "/model.json") || isFile(name + "/model_index.json") { return name }
    if !name.contains("/") {
      for root in roots where isFile("\(root)/\(name)/model.json") { return "\(root)/\(name)" }
    }
    if isFile(name) { return name }
    if let repository = try? RepositoryName(name) { return try HubAccess.folder(of: repository) }
    throw CommandFailure(
      "No model \"\(name)\": there is no \(name)/model.json, and none in "
        + roots.joined(separator: ", ") + ". Give the folder that `ito train` wrote.")
  }

  /// CLIP's tokenizer that comes with Itô, for models in one file.
  static var tokenizer: String? {
    roots.map { $0 + "/clip-tokenizer" }.first { isFile($0 + "/vocab.json") }
  }

  private static var roots: [String] {
    var found: [String] = []
    if let path = getenv("ITO_MODELS") { found.append(String(cString: path)) }
    found.append("Models")
    for folder in foldersAboveProgram where isFile("\(folder)/Models/\(defaultModel)/model.json") {
      found.append("\(folder)/Models")
    }
    return found
  }

  /// The folder of the program and those above it, the innermost first.
  static var foldersAboveProgram: [String] {
    var (found, folder): ([String], String) = ([], programFolder)
    while let slash = folder.lastIndex(of: "/") {
      found.append(folder)
      folder = String(folder[..<slash])
    }
    return found
  }

  private static var programFolder: String {
    guard let resolved = realpath("/proc/self/exe", nil) else { return "" }
    defer { free(resolved) }
    let path = String(cString: resolved)
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
