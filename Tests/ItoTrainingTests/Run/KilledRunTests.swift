import ItoComponents
import ItoTestSupport
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Kills a training process for real. The process is this one's executable, told to run the test
/// `helper` alone, which trains when the environment says where.
@Suite struct KilledRunTests {
  private static let variable = "ITO_TEST_TRAINING_FOLDER"
  private static let steps = 100

  private func run(_ folder: String) throws -> TinyRun { try tinyRun(folder, steps: Self.steps) }

  @Test("Trains in the folder that the environment names; nothing otherwise")
  func helper() throws {
    guard let folder = getenv(Self.variable).map({ String(cString: $0) }) else { return }
    var run = try run(folder)
    if !run.checkpoints.steps.isEmpty { try run.resume() }
    _ = try run.run { _ in
      // Slow enough to be caught at any of its steps.
      usleep(2000)
    }
  }

  @Test("Killed twenty times at random and resumed, a run ends with the same bytes")
  func killed() throws {
    guard getenv(Self.variable) == nil else { return }
    let folder = TemporaryFolder()
    var whole = try run(folder("whole"))
    _ = try whole.run()

    var generator = SplitMix64(seed: UInt64(getpid()))
    var kills = 0
    var rounds = 0
    while kills < 20 {
      rounds += 1
      let path = folder("killed-\(rounds)")
      try killAndResume(path, &kills, &generator)
      let last = CheckpointFolder(path)
      #expect(
        try readFile(last.tensorFile(Self.steps))
          == readFile(whole.checkpoints.tensorFile(Self.steps)))
      #expect(
        try readFile(last.stateFile(Self.steps))
          == readFile(whole.checkpoints.stateFile(Self.steps)))
      #expect(try steadyLog(path) == steadyLog(folder("whole")))
      try #require(rounds < 20, "the helper is never caught")
    }
  }

  /// Starts the run again and again until it is finished, killing it at random until there were twenty
  /// kills in all.
  private func killAndResume(
    _ path: String, _ kills: inout Int, _ generator: inout SplitMix64
  ) throws {
    let checkpoints = CheckpointFolder(path)
    var launches = 0
    while checkpoints.steps.last != Self.steps {
      launches += 1
      try #require(launches < 200, "the helper makes no progress")
      let process = try spawn(path)
      if kills < 20 {
        // From before its first step to well into its run.
        usleep(UInt32.random(in: 5_000..<400_000, using: &generator))
        kill(process, SIGKILL)
      }
      var status: Int32 = 0
      waitpid(process, &status, 0)
      // Killed, not ended: the low bits hold the signal.
      if status & 0x7f == SIGKILL { kills += 1 }
    }
  }

  private func spawn(_ folder: String) throws -> pid_t {
    let executable = "/proc/self/exe"
    var arguments = CommandLine.arguments
    // The arguments of this process, but for the tests to run.
    if let filter = arguments.firstIndex(of: "--filter") {
      arguments.removeSubrange(filter...min(filter + 1, arguments.count - 1))
    }
    arguments += ["--filter", "KilledRunTests/helper"]
    var native = arguments.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let entry = next.pointee {
      variables.append(strdup(entry))
      next += 1
    }
    variables.append(strdup("\(Self.variable)=\(folder)"))
    variables.append(nil)
    defer { for text in native + variables { free(text) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var process: pid_t = 0
    let code = posix_spawn(&process, executable, &actions, nil, &native, variables)
    try #require(code == 0, "cannot start \(executable)")
    return process
  }
}
