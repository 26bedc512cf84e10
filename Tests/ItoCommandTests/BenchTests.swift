import ItoComponents
import Testing

@testable import ItoCommand

@Suite("Timing beside other engines")
struct BenchTests {
  @Test("A peer's line is read, others are not; ratios are ours over theirs")
  func lines() throws {
    let text = """
      {"peer": "torch", "part": "denoiser", "precision": "f32", "threads": 1, "seconds_best": 2.0, \
      "seconds_median": 2.5, "cpu_seconds_best": 4.0, "peak_rss_mb": 100.0}
      """
    let theirs = try #require(PartTiming(text))
    #expect(theirs.part == "denoiser" && theirs.median == 2.5 && theirs.peak == 100)
    #expect(theirs.json(peer: "torch")["peer"] == "torch")
    for other in ["", "Loading weights", "{}", #"{"part": "denoiser", "seconds_best": "2"}"#] {
      #expect(PartTiming(other) == nil)
    }
    let ours = PartTiming(
      part: "denoiser", precision: "f32", wall: [3, 1, 2], processor: [1.5, 1, 3], peak: nil)
    #expect(ours.best == 1 && ours.median == 2 && ours.processor == 1)
    let ratio = ours.ratio(to: theirs, peer: "torch")
    #expect(ratio["seconds"] == 0.5 && ratio["cpu_seconds"] == 0.25 && ratio["peak_rss"] == nil)
  }

  @Test("A program's lines come one by one, its status is given, a missing one is named")
  func processes() throws {
    var lines: [String] = []
    let status = try ChildProcess.run(["sh", "-c", "printf 'one\\ntwo\\n'; printf three; exit 3"]) {
      lines.append($0)
    }
    #expect(lines == ["one", "two", "three"])
    #expect(status == 3)
    #expect(try ChildProcess.run(["sh", "-c", "kill -9 $$"]) { _ in } == 137)
    #expect(throws: CommandFailure.self) { try ChildProcess.run(["./no/such/program"]) { _ in } }
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try ChildProcess.run(["sh", "-c", "echo first; exec sleep 60"]) { _ in throw Stop() }
    }
  }
}
