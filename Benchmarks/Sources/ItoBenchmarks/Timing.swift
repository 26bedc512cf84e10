import Glibc

/// Seconds that pass, and seconds of all processors this process has used.
func wallSeconds() -> Double { seconds(CLOCK_MONOTONIC) }
func processorSeconds() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

private func seconds(_ clock: clockid_t) -> Double {
  var now = timespec()
  clock_gettime(clock, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

/// The most memory this process has held, in MiB.
func peakResidentMebibytes() -> Double {
  var usage = rusage()
  getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}

/// Clocked calls.
struct Timings {
  var wall: [Double] = []
  var processor: [Double] = []

  var best: Double { wall.min() ?? .nan }
  var bestProcessor: Double { processor.min() ?? .nan }
  var median: Double { middle(of: wall) }

  /// The part of `threads` processors the median call got.
  func share(threads: Int) -> Double {
    middle(of: zip(processor, wall).map { $0 / ($1 * Double(threads)) })
  }
}

private func middle(of values: [Double]) -> Double {
  guard !values.isEmpty else { return .nan }
  let sorted = values.sorted(), half = values.count / 2
  return values.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/// Clocks `repeats` calls of `body` after `warmUp` that do not count.
func clock(warmUp: Int, repeats: Int, _ body: () throws -> Void) rethrows -> Timings {
  for _ in 0..<warmUp { try body() }
  var timings = Timings()
  for _ in 0..<repeats {
    let wall = wallSeconds(), processor = processorSeconds()
    try body()
    timings.wall.append(wallSeconds() - wall)
    timings.processor.append(processorSeconds() - processor)
  }
  return timings
}

/// Clocks rivals in turn, so that whatever else the machine does falls on all of them.
///
/// Each round calls each body until about `slice` seconds have passed and notes the seconds of one
/// call; there are at least `rounds` rounds.
///
/// - Returns: the timings of each body, one call each.
func race(rounds: Int, slice: Double, _ bodies: [() -> Void]) -> [Timings] {
  let calls = bodies.map { body in
    body()
    let start = wallSeconds()
    body()
    return max(1, min(100_000, Int(slice / max(1e-7, wallSeconds() - start))))
  }
  var timings = [Timings](repeating: Timings(), count: bodies.count)
  for _ in 0..<rounds {
    for (index, body) in bodies.enumerated() {
      let wall = wallSeconds(), processor = processorSeconds()
      for _ in 0..<calls[index] { body() }
      let count = Double(calls[index])
      timings[index].wall.append((wallSeconds() - wall) / count)
      timings[index].processor.append((processorSeconds() - processor) / count)
    }
  }
  return timings
}
