import ItoComponents
import ItoTensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The most memory the process held since a moment.
enum PeakMemory {
  /// Starts a new measurement, where the system can.
  static func reset() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
  }

  /// Megabytes (10⁶ bytes) held at most since `reset`.
  static var megabytes: Double? {
    guard let bytes = try? readFile("/proc/self/status", limit: 1 << 16) else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      guard line.hasPrefix("VmHWM:") else { continue }
      return line.split(separator: " ").compactMap { Double($0) }.first.map { $0 * 1024 / 1e6 }
    }
    return nil
  }
}

/// What the machine can do, to compare with.
struct MachinePeak {
  /// Operations a second of a large product, and bytes a second read and written by a large copy.
  var flops: Double, bytes: Double
  /// What the product was computed in.
  var type: DType

  /// The best of a few tries, on the threads that are set; takes some tenths of a second.
  static func measure(in type: DType) -> MachinePeak {
    let side = 1024
    let a = Tensor(repeating: 0.5, shape: [side, side]).cast(to: type),
      w = Tensor(repeating: 0.25, shape: [side, side]).cast(to: type)
    let product = best { _ = a.linear(w) }
    let large = Tensor(repeating: 1, shape: [4096, 4096])
    let copy = best { _ = Tensor.concatenated([large, large], axis: 0) }
    return MachinePeak(
      flops: 2 * Double(side * side * side) / product, bytes: 4 * Double(large.byteCount) / copy,
      type: type)
  }

  private static func best(_ body: () -> Void) -> Double {
    body()
    return (0..<4).map { _ in
      let begin = now()
      body()
      return now() - begin
    }.min() ?? 1
  }
}

/// A profile as a table, one kind of operation a line, and what was spent in none of them.
struct ProfileTable {
  let entries: [Profile.Entry]
  /// Seconds of the whole.
  let total: Double
  let peak: MachinePeak

  private var outside: Double { max(0, total - entries.reduce(0) { $0 + $1.seconds }) }

  var text: String {
    var lines = [
      aligned("operation", 20) + right("calls", 7) + right("time", 10) + right("share", 8)
        + right("GFLOP/s", 10) + right("of peak", 9) + right("GB/s", 8) + right("of copy", 9)
    ]
    for e in entries {
      let rate = e.flops / e.seconds, speed = e.bytes / e.seconds
      let computes = e.flops > 0
      lines.append(
        aligned(e.operation, 20) + right("\(e.calls)", 7) + right(milliseconds(e.seconds), 10)
          + right(percent(e.seconds / total), 8) + right(computes ? fixed(rate / 1e9, 1) : "", 10)
          + right(computes ? percent(rate / peak.flops) : "", 9) + right(fixed(speed / 1e9, 1), 8)
          + right(percent(speed / peak.bytes), 9))
    }
    lines.append(
      aligned("none of them", 20) + right("", 7) + right(milliseconds(outside), 10)
        + right(percent(outside / total), 8))
    lines.append(
      "peak: \(fixed(peak.flops / 1e9, 1)) GFLOP/s (product in \(peak.type.name)), "
        + "\(fixed(peak.bytes / 1e9, 1)) GB/s (copy). Work is counted as plain sums: more than the "
        + "peak means that fewer operations were done.")
    return lines.joined(separator: "\n")
  }

  var json: [JSONValue] {
    let known: [JSONValue] = entries.map {
      [
        "operation": .string($0.operation), "calls": .integer(Int64($0.calls)),
        "seconds": .double($0.seconds), "share": .double($0.seconds / total),
        "gflops": .double($0.flops / $0.seconds / 1e9),
        "share_of_peak": .double($0.flops / $0.seconds / peak.flops),
        "gbytes": .double($0.bytes / $0.seconds / 1e9),
      ]
    }
    let rest: JSONValue = [
      "operation": "none", "seconds": .double(outside), "share": .double(outside / total),
    ]
    return known + [rest]
  }

  private func percent(_ share: Double) -> String { "\(fixed(100 * share, 1)) %" }
}

/// `12.3 ms`, or seconds from one on.
func milliseconds(_ seconds: Double) -> String {
  seconds < 1 ? "\(brief(1000 * seconds)) ms" : "\(brief(seconds)) s"
}

/// `text` at the left of `width` columns.
func aligned(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(1, width - text.count))
}

/// `text` at the right of `width` columns.
func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(1, width - text.count)) + text
}
