#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// An axis with its ends fixed: values to places, and where the marks are.
struct PlotScale {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  /// Marked values, in order.
  let ticks: [Double]

  /// The scale of `axis` for `values`, those that cannot be shown left out.
  init(_ axis: Plot.Axis, values: [Double]) {
    isLogarithmic = axis.isLogarithmic
    let shown = values.filter { $0.isFinite && (!axis.isLogarithmic || $0 > 0) }
    var low = axis.range?.lowerBound ?? shown.min() ?? (axis.isLogarithmic ? 1 : 0)
    var high = axis.range?.upperBound ?? shown.max() ?? (axis.isLogarithmic ? 10 : 1)
    if axis.isLogarithmic {
      if !(low > 0) { low = shown.min() ?? 1 }
      if !(high > low) { (low, high) = (low / 2, low * 2) }
      ticks = Self.logarithmicTicks(low, high)
    } else {
      if !(high > low) {
        let margin = low == 0 ? 1 : abs(low) / 2
        (low, high) = (low - margin, low + margin)
      }
      let step = Self.step(high - low)
      if axis.range == nil {
        low = (low / step + 1e-9).rounded(.down) * step
        high = (high / step - 1e-9).rounded(.up) * step
      }
      let first = Int((low / step - 1e-9).rounded(.up))
      let last = Int((high / step + 1e-9).rounded(.down))
      ticks = (first...max(first, last)).map { Double($0) * step }
    }
    self.low = low
    self.high = high
  }

  /// The place of `value` between the ends, from 0 to 1; nil when it has none.
  func place(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    if !isLogarithmic { return (value - low) / (high - low) }
    return value > 0 ? log(value / low) / log(high / low) : nil
  }

  /// 1, 2 or 5 times a power of ten, four to nine of which make `span`.
  private static func step(_ span: Double) -> Double {
    let power = pow(10, log10(span / 5).rounded(.down))
    let ratio = span / 5 / power
    return power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10)
  }

  /// Powers of ten, with their double and fivefold where there are few; where those are fewer than
  /// two, round numbers.
  private static func logarithmicTicks(_ low: Double, _ high: Double) -> [Double] {
    let first = Int(log10(low).rounded(.down))
    let last = Int(log10(high).rounded(.up))
    let stride = max(1, (last - first) / 8)
    let factors: [Double] = last - first > 3 ? [1] : [1, 2, 5]
    var ticks: [Double] = []
    for exponent in Swift.stride(from: first, through: last, by: stride) {
      for factor in factors {
        let value = factor * pow(10, Double(exponent))
        if value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9) { ticks.append(value) }
      }
    }
    if ticks.count >= 2 { return ticks }
    let step = step(high - low)
    let start = Int((low / step).rounded(.up))
    return (start...max(start, Int((high / step).rounded(.down)))).map { Double($0) * step }
  }

  /// `value` in the fewest digits that tell it from its neighbours: `0.25`, `1500`, `1e-05`.
  static func text(_ value: Double) -> String {
    if value == 0 { return "0" }
    let exponent = Int(log10(abs(value)).rounded(.down))
    guard exponent >= -4 && exponent < 6 else {
      let mantissa = (value / pow(10, Double(exponent)) * 100).rounded() / 100
      return "\(trimmed(mantissa))e\(exponent)"
    }
    let unit = pow(10, Double(3 - exponent))
    return trimmed((value * unit).rounded() / unit)
  }

  private static func trimmed(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
