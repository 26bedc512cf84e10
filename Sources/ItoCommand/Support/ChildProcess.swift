#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A program run to its end, its standard output read line by line; standard error is shared.
enum ChildProcess {
  /// Runs `arguments[0]`, found on PATH unless it has a slash, and calls `line` for each line it prints.
  ///
  /// - Returns: its exit status; 128 and the signal's number when a signal ended it.
  /// - Throws: `CommandFailure` when it cannot be started.
  static func run(_ arguments: [String], line: (String) throws -> Void) throws -> Int32 {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else {
      throw CommandFailure("No pipe to another program: \(String(cString: strerror(errno))).")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    // What this thread blocks would be blocked there too.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    let status = posix_spawnp(&child, arguments[0], &actions, &attributes, &words, environ)
    for word in words { free(word) }
    posix_spawnattr_destroy(&attributes)
    posix_spawn_file_actions_destroy(&actions)
    close(ends[1])
    defer { close(ends[0]) }
    guard status == 0 else {
      throw CommandFailure("\(arguments[0]) does not start: \(String(cString: strerror(status))).")
    }
    var result: Int32 = 0
    do {
      try readLines(ends[0], line)
    } catch {
      kill(child, SIGTERM)
      waitpid(child, &result, 0)
      throw error
    }
    while waitpid(child, &result, 0) < 0 && errno == EINTR {}
    let signal = result & 0x7f
    return signal == 0 ? (result >> 8) & 0xff : 128 + signal
  }

  private static func readLines(_ descriptor: Int32, _ line: (String) throws -> Void) throws {
    var pending: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &block, block.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      pending += block[..<count]
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        try line(String(decoding: pending[..<end], as: UTF8.self))
        pending.removeSubrange(...end)
      }
    }
    if !pending.isEmpty { try line(String(decoding: pending, as: UTF8.self)) }
  }
}
