import ItoComponents
import ItoTensors

/// Operations beside what the machine's memory and arithmetic allow.
///
/// - Source: Williams, Waterman & Patterson 2009, *Roofline: an insightful visual performance model*,
///   doi:10.1145/1498765.1498785.
struct RooflinePlot {
  let entries: [Profile.Entry]
  let peak: MachinePeak

  /// `GFLOP/s` over operations a byte, both logarithmic; operations that count no arithmetic are left out.
  func svg(title: String) -> String {
    let points = entries.filter { $0.flops > 0 && $0.bytes > 0 && $0.seconds > 0 }.map {
      Plot.Series.Point(
        $0.flops / $0.bytes, $0.flops / $0.seconds / 1e9, label: $0.operation)
    }
    let ridge = peak.flops / peak.bytes
    let least = min(ridge / 8, points.map(\.x).min() ?? ridge) / 2
    let most = max(ridge * 8, points.map(\.x).max() ?? ridge) * 2
    return Plot(
      title: title, x: Plot.Axis("operations a byte", isLogarithmic: true),
      y: Plot.Axis("GFLOP/s", isLogarithmic: true),
      series: [
        Plot.Series(
          "memory (copy)", points: [(least, least * peak.bytes / 1e9), (ridge, peak.flops / 1e9)]),
        Plot.Series(
          "arithmetic (float32 product)",
          points: [(ridge, peak.flops / 1e9), (most, peak.flops / 1e9)]),
        Plot.Series("operations", points: points, hasLine: false, hasMarks: true),
      ]
    ).svg()
  }
}
