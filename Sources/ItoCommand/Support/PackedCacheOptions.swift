import ArgumentParser
import ItoCheckpoints

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whether packed weights are kept between runs.
struct PackedCacheOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Keep packed weights on disk, so that later runs map them instead of packing them anew: in this folder, \
      or in $XDG_CACHE_HOME/ito/packed (~/.cache/ito/packed) for 'default'. They may take twice as much as \
      the model's files. The folder can be removed at any time.
      """, valueName: "folder"))
  var packedCache: String?

  @Option(
    help: ArgumentHelp(
      "What packed weights may take on disk, in GB; those used longest ago make room for new ones.",
      valueName: "gb"))
  var packedCacheLimit = 20.0

  func validate() throws {
    if packedCache == "" { throw ValidationError("--packed-cache: name a folder, or 'default'.") }
    guard packedCacheLimit > 0, packedCacheLimit <= 1e6 else {
      throw ValidationError(
        "--packed-cache-limit \(packedCacheLimit): give more than 0 GB, and at most a million.")
    }
  }

  /// Where packed weights are kept; nil when it was not asked for.
  ///
  /// - Parameter savesMemory: whether no packed weights are kept in memory either.
  func cache(unless savesMemory: Bool) throws -> PackedCache? {
    guard let packedCache else { return nil }
    if savesMemory {
      throw CommandFailure(
        "--packed-cache and --low-memory: the latter keeps no packed weights; choose one of the two."
      )
    }
    var folder = packedCache
    if folder == "default" {
      guard
        let standard = PackedCache.standardFolder({ getenv($0).map { String(cString: $0) } })
      else {
        throw CommandFailure(
          "--packed-cache default: neither XDG_CACHE_HOME nor HOME is set; name a folder.")
      }
      folder = standard
    }
    return PackedCache(folder: folder, limit: Int(packedCacheLimit * 1e9)) { Terminal.note($0) }
  }
}
