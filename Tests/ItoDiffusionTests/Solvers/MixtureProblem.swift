import Foundation
import ItoDiffusion
import ItoTensors

/// A mixture of two Gaussians on a line, whose probability flow has a known solution: it keeps the share
/// of the distribution below a sample. All of it in double precision.
///
/// In y = x/alpha and s = sigma/alpha the marginal is `Σ w·N(m, d² + s²)`, whatever the process.
struct MixtureProblem: Sendable {
  let weights = [0.5, 0.5]
  let means = [-1.5, 1]
  let deviations = [0.5, 0.4]

  /// The shares that the samples of a run have below them.
  static let shares = (0..<17).map { 0.04 + 0.92 * Double($0) / 16 }

  /// E[x₀ | y].
  func clean(_ y: Double, _ s: Double) -> Double {
    var (sum, total) = (0.0, 0.0)
    for ((weight, mean), deviation) in zip(zip(weights, means), deviations) {
      let variance = deviation * deviation + s * s
      let density = weight * exp(-(y - mean) * (y - mean) / (2 * variance)) / variance.squareRoot()
      sum += density * (mean * s * s + y * deviation * deviation) / variance
      total += density
    }
    return sum / total
  }

  /// The share of the marginal below `y`.
  func share(below y: Double, _ s: Double) -> Double {
    zip(zip(weights, means), deviations).reduce(0) { sum, part in
      let ((weight, mean), deviation) = part
      let spread = (deviation * deviation + s * s).squareRoot()
      return sum + weight * 0.5 * erfc(-(y - mean) / (spread * 2.0.squareRoot()))
    }
  }

  /// The solution: samples at `level` of the paths with the given shares, `[shares, 1]`.
  ///
  /// - Parameter stride: how many shares lie between those used, for errors that many samples hide.
  func exact(at level: NoiseLevel, stride: Int = 1) -> Tensor {
    let s = level.noiseToSignal
    let shares = Swift.stride(from: 0, to: Self.shares.count, by: stride).map { Self.shares[$0] }
    let values = shares.map { share in
      var (low, high) = (-200.0, 200.0)
      for _ in 0..<70 {
        let middle = (low + high) / 2
        if self.share(below: middle, s) < share { low = middle } else { high = middle }
      }
      return Float(level.alpha * (low + high) / 2)
    }
    return Tensor(values, shape: [values.count, 1])
  }

  /// The clean estimates of `x`, by way of what a network of the parameterization would output.
  func denoise(_ x: Tensor, at level: NoiseLevel, _ parameterization: any Parameterization)
    -> Tensor
  {
    let k = parameterization.preconditioning(at: level)
    let target = parameterization.target(at: level)
    let values = x.scalars.map { value in
      let clean = clean(Double(value) / level.alpha, level.noiseToSignal)
      let noise = (Double(value) - level.alpha * clean) / level.sigma
      let output = target.clean * clean + target.noise * noise
      return Float(k.skip * Double(value) + k.output * output)
    }
    return Tensor(values, shape: x.shape)
  }

  /// Root mean square distance of two sets of samples, of `x/alpha`.
  func distance(_ x: Tensor, _ other: Tensor, at level: NoiseLevel) -> Double {
    let squares = zip(x.scalars, other.scalars).map { pow(Double($0 - $1) / level.alpha, 2) }
    return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }

  /// The error of a run over `steps` steps between sigma/alpha 12 and 0.05 in equal logarithmic
  /// steps, or 4 and 0.2 in equal steps for solvers that need those.
  ///
  /// The first eighth of the steps starts each from the exact solution, so that the history of a
  /// multistep method is exact and its own order shows, not that of its start.
  ///
  /// - Parameters:
  ///   - roughness: how far estimates are off, this way and that.
  ///   - onEstimate: called at every evaluation.
  func error<S: Solver>(
    of solver: S, steps: Int, on schedule: any NoiseSchedule, roughness: Float = 0,
    _ parameterization: any Parameterization, onEstimate: @escaping () -> Void = {}
  ) throws -> Double {
    let isEven = solver.traits.needsEqualSteps
    let stride = solver.traits.order > 3 ? 2 : 1
    let levels = (0...steps).map { i in
      let fraction = Double(i) / Double(steps)
      return schedule.level(
        noiseToSignal: isEven ? 4 + (0.2 - 4) * fraction : 12 * pow(0.05 / 12, fraction))
    }
    let plan = SamplingPlan(levels: levels, schedule: schedule)
    try solver.validate(plan)
    var memory = solver.makeMemory(for: plan)
    var noise = SamplingNoise(seed: 0)
    let denoise = DenoiseFunction { (x, level) throws(SamplingError) in
      onEstimate()
      let clean = self.denoise(x, at: level, parameterization)
      guard roughness > 0 else { return clean }
      let error = x.scalars.map { ($0.bitPattern & 1 == 0 ? roughness : -roughness) }
      return clean + Tensor(error, shape: x.shape)
    }
    var x = exact(at: levels[0], stride: stride)
    for i in 0..<steps {
      let (current, next) = plan.step(i)
      x = try solver.step(
        x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
      if i < steps / 8 { x = exact(at: next, stride: stride) }
    }
    return distance(x, exact(at: levels[steps], stride: stride), at: levels[steps])
  }
}
