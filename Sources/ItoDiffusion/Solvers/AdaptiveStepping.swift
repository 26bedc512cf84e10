import ItoComponents
import ItoTensors

/// Steps whose size follows an estimate of their error: between two levels of a plan, as many as it takes.
///
/// A step is made at two orders; E is the root mean square of `(high − low)/(atol + rtol·max(|high|, |x|))`
/// over a sample, the greatest of the batch. E ≤ 1 accepts; the next step is `0.9·h·E^{−1/p}`, p the
/// higher order, between a fifth and five times h. Since the batch shares its steps, a sample depends on
/// its batch within the tolerance.
/// - Source: Hairer, Nørsett & Wanner 1993, *Solving Ordinary Differential Equations I*, II.4; Lu et al.
///   2022, arXiv:2206.00927, appendix C.
struct AdaptiveStepping: Sendable, Hashable {
  /// Error allowed relative to the sample.
  var relative: Double
  /// Error allowed in any case.
  var absolute: Double

  /// Evaluations of the denoiser that a step of the plan may take.
  static let limit = 10_000

  init(relative: Double, absolute: Double) {
    self.relative = relative
    self.absolute = absolute
  }

  init(
    options: inout OptionReader, relative: Double, absolute: Double
  ) throws(OptionError) {
    self.relative = try options.double("rtol", default: relative, in: 1e-6...1)
    self.absolute = try options.double("atol", default: absolute, in: 1e-6...1)
  }

  /// What a method makes of one step: the sample at both orders.
  typealias Attempt = (
    _ x: Tensor, _ clean: Tensor, _ current: NoiseLevel, _ next: NoiseLevel
  ) throws(SamplingError) -> (high: Tensor, low: Tensor)

  /// The sample at `next`.
  ///
  /// - Parameters:
  ///   - h: the step in half-log-SNR to try first; what to try next on return.
  ///   - order: the higher of the method's two orders.
  func run(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, on schedule: any NoiseSchedule,
    h: inout Double, order: Int, evaluationsPerAttempt: Int, denoise: DenoiseFunction,
    attempt: Attempt
  ) throws(SamplingError) -> Tensor {
    let end = next.halfLogSNR
    var (x, level) = (x, current)
    var clean = try denoise(x, level)
    var evaluations = 1
    while true {
      let remaining = end - level.halfLogSNR
      if remaining <= 1e-12 * max(1, abs(end)) { return x }
      let isLast = h >= remaining
      let target =
        isLast ? next : schedule.level(noiseToSignal: exponential(-level.halfLogSNR - h))
      let (high, low) = try attempt(x, clean, level, target)
      evaluations += evaluationsPerAttempt
      guard evaluations < Self.limit else {
        throw .invalidRequest(
          "\(evaluations) evaluations did not take a step from sigma \(current.sigma) to "
            + "\(next.sigma) within the tolerance; loosen rtol or atol")
      }
      let error = self.error(high, low, x)
      // A step that overflows is too long; one that overflows however short it is has another cause.
      guard error.isFinite || min(h, remaining) > 1e-6 else {
        throw .nonFinite(step: 0, sigma: level.sigma)
      }
      let factor = error > 0 ? 0.9 * power(error, -1 / Double(order)) : 5
      let size = min(h, remaining)
      let proposed = size * min(5, max(0.2, factor))
      // A step cut short by the plan says little of how long steps may be.
      h = isLast && error <= 1 ? max(h, proposed) : proposed
      guard error <= 1 else { continue }
      (x, level) = (high, target)
      if isLast { return x }
      clean = try denoise(x, level)
      evaluations += 1
    }
  }

  /// E of one step.
  private func error(_ high: Tensor, _ low: Tensor, _ x: Tensor) -> Double {
    let (a, b, c) = (high.scalars, low.scalars, x.scalars)
    let size = max(1, a.count / max(1, x.batchCount))
    var worst = 0.0
    for start in stride(from: 0, to: a.count, by: size) {
      var sum = 0.0
      for i in start..<min(a.count, start + size) {
        let scale = absolute + relative * Double(max(abs(a[i]), abs(c[i])))
        let deviation = Double(a[i] - b[i]) / scale
        sum += deviation * deviation
      }
      worst = sum.isFinite ? max(worst, (sum / Double(size)).squareRoot()) : .infinity
    }
    return worst
  }
}
