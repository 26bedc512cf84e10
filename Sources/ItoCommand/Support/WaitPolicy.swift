#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How long threads that wait for each other keep their cores.
///
/// libgomp's threads spin for some milliseconds before they sleep. Beside another busy process that
/// stalls both: a thread that was pushed off its core is waited for by one that holds the other core
/// for nothing. The choice is read from the environment when the library is loaded, before any code
/// of the program runs, so the program sets it and starts itself again. It costs some milliseconds.
enum WaitPolicy {
  /// Some tens of microseconds: longer than between two operations of a network, far shorter than a
  /// scheduler's time slice.
  static let spins = "2000"

  /// Starts the program anew with a short wait, unless the user has chosen one.
  static func apply() {
    for name in ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"] where getenv(name) != nil { return }
    guard let program = realpath("/proc/self/exe", nil) else { return }
    defer { free(program) }
    setenv("GOMP_SPINCOUNT", spins, 1)
    // Returns only when it fails; then the program goes on with the long wait.
    execv(program, CommandLine.unsafeArgv)
  }
}
