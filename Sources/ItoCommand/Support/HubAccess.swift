import ItoHub

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The hub as the command uses it: settings from the environment, a bar, Ctrl-C.
enum HubAccess {
  /// The folder of a repository, fetched with a bar if it is not in the cache.
  static func folder(of name: RepositoryName) throws -> String {
    if let known = Hub(settings).cached(name) { return known }
    return try pull(name, variant: nil, files: [], isShown: true)
  }

  /// Fetches what is new of a repository and returns its folder.
  static func pull(
    _ name: RepositoryName, variant: String?, files: [String], isShown: Bool
  ) throws -> String {
    let interrupt = Interrupt.watch()
    let hub = Hub(settings, isCancelled: { interrupt.isRequested })
    var bar: ProgressBar?
    defer { bar?.clear() }
    return try hub.pull(name, variant: variant, files: files) { progress in
      let total = max(1, progress.total >> 20)
      if bar == nil {
        bar = ProgressBar(name.description, unit: "MB", total: total, isShown: isShown)
      }
      bar?.update(progress.done >> 20, of: total)
    }
  }

  private static var settings: HubSettings {
    let names = [
      "HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT",
      "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
      "HF_TOKEN_PATH", "HF_HUB_DOWNLOAD_TIMEOUT",
    ]
    var environment: [String: String] = [:]
    for name in names { environment[name] = getenv(name).map { String(cString: $0) } }
    return HubSettings(environment: environment)
  }
}
