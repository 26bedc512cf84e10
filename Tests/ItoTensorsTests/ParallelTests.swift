import Testing

@testable import ItoTensors

@Suite struct ParallelTests {
  @Test("Every element is computed once and stays in its place", arguments: [0, 1, 2, 3, 1000])
  func order(count: Int) {
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    for threads in [1, 2, 7] {
      Runtime.threads = threads
      #expect(parallelMap(count) { "\($0)" } == (0..<count).map { "\($0)" })
    }
  }
}
