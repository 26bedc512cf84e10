import ItoTensors

/// Confidence intervals by resampling: what a statistic would have been on other draws of the same kind.
///
/// - Source: Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, section 13.3 (percentile
///   intervals).
public struct Bootstrap: Sendable, Hashable {
  /// How many resamples are drawn.
  public var resamples: Int
  /// The share of them inside the interval.
  public var confidence: Double
  /// Seed of the draws: the same samples give the same interval.
  public var seed: UInt64

  /// 95 % intervals from 1,000 resamples.
  public init(resamples: Int = 1000, confidence: Double = 0.95, seed: UInt64 = 0) {
    self.resamples = resamples
    self.confidence = confidence
    self.seed = seed
  }

  /// The interval of `statistic`, which is given the numbers of the samples drawn, with repetition, as
  /// many as there are. Resamples on which it is not finite do not count.
  ///
  /// - Cost: calls `statistic` once for each resample.
  public func interval(
    count: Int, of statistic: ([Int]) -> Double
  ) -> ClosedRange<Double>? {
    let values = draws(count: count, of: statistic)
    guard !values.isEmpty else { return nil }
    let tail = (1 - confidence) / 2
    return quantile(tail, of: values)...quantile(1 - tail, of: values)
  }

  /// The interval of a statistic that resampling itself moves, such as a distance between distributions:
  /// the percentiles less the bootstrap's estimate of that bias, so that they lie around `value`.
  ///
  /// - Source: Efron & Tibshirani 1993, section 10.2: bias = mean of the resamples − value.
  /// - Cost: calls `statistic` once for each resample.
  public func interval(
    count: Int, around value: Double, of statistic: ([Int]) -> Double
  ) -> ClosedRange<Double>? {
    let values = draws(count: count, of: statistic)
    guard !values.isEmpty else { return nil }
    let bias = values.reduce(0, +) / Double(values.count) - value
    let tail = (1 - confidence) / 2
    return (quantile(tail, of: values) - bias)...(quantile(1 - tail, of: values) - bias)
  }

  /// The interval of the mean of `values`.
  public func interval(ofMean values: [Double]) -> ClosedRange<Double>? {
    interval(count: values.count) { picks in
      picks.reduce(0) { $0 + values[$1] } / Double(values.count)
    }
  }

  /// The finite values of `statistic` on the resamples, in order; none when there is nothing to resample.
  private func draws(count: Int, of statistic: ([Int]) -> Double) -> [Double] {
    guard count > 1, resamples > 1 else { return [] }
    var noise = NoiseSource(seed: seed, engine: .philox)
    return (0..<resamples)
      .map { _ in statistic(noise.integers(below: count, count: count)) }
      .filter(\.isFinite).sorted()
  }

  /// Between neighbours by linear interpolation; `values` in order.
  private func quantile(_ share: Double, of values: [Double]) -> Double {
    let place = share * Double(values.count - 1)
    let below = Int(place)
    let above = min(below + 1, values.count - 1)
    return values[below] + (place - Double(below)) * (values[above] - values[below])
  }
}
