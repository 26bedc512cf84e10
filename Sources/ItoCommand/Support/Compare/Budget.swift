#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How much training each variant of a comparison gets.
enum Budget: Hashable {
  /// So many steps.
  case steps(Int)
  /// So many seconds of all threads together, over the number of threads: on an idle machine the time
  /// that passes, and not less training on a busy one.
  case seconds(Double)

  /// `20m`, `90s`, `1.5h`, or a number of steps.
  init(parsing text: String) throws {
    let units: [(Character, Double)] = [("s", 1), ("m", 60), ("h", 3600)]
    if let steps = Int(text), steps >= 1 {
      self = .steps(steps)
    } else if let last = text.last, let unit = units.first(where: { $0.0 == last }),
      let count = Double(text.dropLast()), count.isFinite, count > 0
    {
      self = .seconds(count * unit.1)
    } else {
      throw CommandFailure(
        "--budget \(text): give a time for each variant, such as 20m, 90s or 1h, or a number of steps."
      )
    }
  }

  /// Seconds that the process's threads have computed together so far.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
