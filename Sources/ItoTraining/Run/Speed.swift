#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Samples a second over the last ten seconds or so.
struct Speed {
  private var samples = 0
  private var marks: [(time: Double, samples: Int)] = [(now(), 0)]

  private static let window = 10.0
  private static let spacing = 0.5

  mutating func add(samples count: Int) {
    samples += count
    let time = now()
    guard let last = marks.last, time - last.time >= Self.spacing else { return }
    marks.append((time, samples))
    while marks.count > 2, time - marks[1].time > Self.window { marks.removeFirst() }
  }

  var samplesPerSecond: Double {
    guard let first = marks.first else { return 0 }
    let elapsed = now() - first.time
    return elapsed > 0 ? Double(samples - first.samples) / elapsed : 0
  }
}

/// Seconds on a clock that never goes back.
private func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
