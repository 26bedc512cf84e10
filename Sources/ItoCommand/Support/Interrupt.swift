import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

private let requests = Atomic<Int>(0)

/// Ctrl-C and the like, turned into a request to stop at the next good moment.
struct Interrupt: Sendable {
  /// Watches SIGINT and SIGTERM. The second signal ends the process at once.
  static func watch() -> Interrupt {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if requests.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      }
    }
    return Interrupt()
  }

  /// Whether a signal has come.
  var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }
}
