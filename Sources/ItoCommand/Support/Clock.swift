#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Seconds since some fixed moment, for measuring durations.
func now() -> Double {
  let d = ContinuousClock.now - start
  return Double(d.components.seconds) + Double(d.components.attoseconds) * 1e-18
}

private let start = ContinuousClock.now

/// Seconds that all processors spent on this process.
func processorSeconds() -> Double {
  var used = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
  return Double(used.tv_sec) + Double(used.tv_nsec) * 1e-9
}

/// `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`.
func formatted(seconds: Double) -> String {
  guard seconds.isFinite else { return "unknown" }
  if seconds < 10 { return "\(fixed(seconds, 2)) s" }
  if seconds < 100 { return "\(fixed(seconds, 1)) s" }
  let whole = Int(seconds.rounded())
  if whole < 3600 { return "\(whole / 60) min \(padded(whole % 60)) s" }
  return "\(whole / 3600) h \(padded(whole / 60 % 60)) min"
}

/// `value` with `digits` decimals, rounded half away from zero.
func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
  var factor = 1.0
  for _ in 0..<digits { factor *= 10 }
  let scaled = Int((value.magnitude * factor).rounded())
  let sign = value < 0 && scaled != 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(scaled)" }
  let fraction = String(scaled % Int(factor))
  return "\(sign)\(scaled / Int(factor))."
    + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// Four significant digits, for figures of any size.
func brief(_ value: Double) -> String {
  let m = value.magnitude
  if m >= 1000 { return fixed(value, 0) }
  if m >= 100 { return fixed(value, 1) }
  if m >= 10 { return fixed(value, 2) }
  if m >= 1 || m == 0 { return fixed(value, 3) }
  if m >= 1e-3 { return fixed(value, 5) }
  return "\(Float(value))"
}

private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
