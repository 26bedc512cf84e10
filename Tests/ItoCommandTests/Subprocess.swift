#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Runs of the program itself.
enum Program {
  /// `ito`, built beside the tests.
  static let path: String? = {
    let bundle = CommandLine.arguments.first ?? ""
    let folders = bundle.split(separator: "/", omittingEmptySubsequences: false)
    for count in stride(from: folders.count - 1, to: 1, by: -1) {
      let candidate = folders[..<count].joined(separator: "/") + "/ito"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }()

  /// How a run ended and what it said, both streams together.
  struct Outcome {
    var status: Int32?
    var text: String
  }

  /// Starts the program; its output goes to `log`.
  static func start(_ arguments: [String], log: String) -> pid_t? {
    guard let path else { return nil }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    // The threads that tests run on block signals, and a child inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var child = pid_t()
    return posix_spawn(&child, path, &actions, &attributes, words, environ) == 0 ? child : nil
  }

  /// Waits for `child`; nil when a signal ended it.
  static func wait(_ child: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }

  /// Runs the program to its end.
  static func run(_ arguments: [String], in folder: TemporaryFolder) -> Outcome {
    let log = folder.path + "/log-\(arguments.hashValue)"
    guard let child = start(arguments, log: log) else {
      return Outcome(status: nil, text: "no program")
    }
    let status = wait(child)
    return Outcome(status: status, text: folder.text(log))
  }
}

/// A folder that is deleted, with all in it, when the value goes.
final class TemporaryFolder {
  let path: String

  init() {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array((base + "/ito-test-XXXXXX").utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
  }

  deinit { Self.remove(path) }

  func write(_ name: String, _ bytes: [UInt8]) {
    guard let file = fopen("\(path)/\(name)", "wb") else { return }
    bytes.withUnsafeBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    fclose(file)
  }

  func write(_ name: String, _ text: String) { write(name, Array(text.utf8)) }

  func bytes(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return result }
      result += buffer[..<count]
    }
  }

  func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

  private static func remove(_ path: String) {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(folder)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
