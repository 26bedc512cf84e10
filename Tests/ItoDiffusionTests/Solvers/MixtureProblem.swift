import Foundation
import ItoDiffusion
import ItoTensors
import Synchronization

/// A mixture of two Gaussians on a line, whose probability flow has a known solution: it keeps the share
/// of the distribution below a sample. All of it in double precision, the solver's arithmetic included.
///
/// In y = x/alpha and s = sigma/alpha the marginal is `Σ w·N(m, d² + s²)`, whatever the process.
struct MixtureProblem: Sendable {
  let weights = [0.5, 0.5]
  let means = [-1.5, 1]
  let deviations = [0.5, 0.4]

  /// The shares that the samples of a run have below them.
  static let shares = (0..<9).map { 0.04 + 0.92 * Double($0) / 8 }

  /// Solutions that were found, by s: every schedule and parameterization needs the same.
  private static let solutions = Mutex<[Double: [Double]]>([:])

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

  /// The solution: `x/alpha` where sigma/alpha is `s`, of the paths with the given shares.
  func solution(at s: Double) -> [Double] {
    if let known = Self.solutions.withLock({ $0[s] }) { return known }
    let found = Self.shares.map { share in
      var (low, high) = (-200.0, 200.0)
      for _ in 0..<70 {
        let middle = (low + high) / 2
        if self.share(below: middle, s) < share { low = middle } else { high = middle }
      }
      return (low + high) / 2
    }
    Self.solutions.withLock { $0[s] = found }
    return found
  }

  /// How a run is set up.
  struct Run {
    /// Whether the steps are equal in sigma/alpha, from 4 to 0.2, rather than in its logarithm, from 12 to 0.05.
    var isEven = false
    /// How many of the first steps start each from the solution, so that the history of a multistep method is
    /// exact and its own order shows, not that of its start.
    var exactSteps = 0
    /// How far estimates are off, this way and that.
    var roughness = 0.0
    /// Told every evaluation.
    var onEstimate: () -> Void = {}

    /// sigma/alpha at step `index` of `steps`.
    func ratio(_ index: Int, of steps: Int) -> Double {
      let fraction = Double(index) / Double(steps)
      return isEven ? 4 + (0.2 - 4) * fraction : 12 * pow(0.05 / 12, fraction)
    }
  }

  /// Root mean square distance of a run's end from the solution, in `x/alpha`.
  ///
  /// Estimates go by way of what a network of the parameterization would output.
  func error<S: Solver>(
    of solver: S, steps: Int, on schedule: any NoiseSchedule,
    _ parameterization: any Parameterization, _ run: Run = Run()
  ) throws -> Double {
    let shadow = DoubleShadow()
    let ratios = (0...steps).map { run.ratio($0, of: steps) }
    let levels = ratios.map { schedule.level(noiseToSignal: $0) }
    func exact(_ index: Int) -> Tensor {
      shadow.tensor(solution(at: ratios[index]).map { levels[index].alpha * $0 })
    }
    let denoise = DenoiseFunction { (x, level) throws(SamplingError) in
      run.onEstimate()
      let k = parameterization.preconditioning(at: level)
      let target = parameterization.target(at: level)
      return shadow.tensor(
        shadow.values(of: x).map { x in
          let error = x.bitPattern & 1 == 0 ? run.roughness : -run.roughness
          let clean = self.clean(x / level.alpha, level.sigma / level.alpha) + error
          let noise = (x - level.alpha * clean) / level.sigma
          return k.skip * x + k.output * (target.clean * clean + target.noise * noise)
        })
    }
    let plan = SamplingPlan(levels: levels, schedule: schedule)
    try solver.validate(plan)
    var memory = solver.makeMemory(for: plan)
    var noise = SamplingNoise(seed: 0)
    return try CombinationObservers.$current.withValue(shadow) {
      var x = exact(0)
      for index in 0..<steps {
        let (current, next) = plan.step(index)
        x = try solver.step(
          x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
        if index < run.exactSteps { x = exact(index + 1) }
      }
      let found = shadow.values(of: x)
      guard shadow.strangers == 0 else { throw NotLinear(tensors: shadow.strangers) }
      let squares = zip(found, solution(at: ratios[steps])).map {
        pow($0 / levels[steps].alpha - $1, 2)
      }
      return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
  }

  /// A solver made tensors otherwise than by combining.
  struct NotLinear: Error {
    let tensors: Int
  }
}

// In float32, for what does not ask for more.
extension MixtureProblem {
  /// The clean estimates of `x`, `[samples, 1]`.
  func denoise(_ x: Tensor, at level: NoiseLevel) -> Tensor {
    let values = x.scalars.map { value in
      Float(clean(Double(value) / level.alpha, level.noiseToSignal))
    }
    return Tensor(values, shape: x.shape)
  }

  /// The solution at `level`, `[shares, 1]`.
  func exact(at level: NoiseLevel) -> Tensor {
    let values = solution(at: level.noiseToSignal).map { Float(level.alpha * $0) }
    return Tensor(values, shape: [values.count, 1])
  }

  /// Root mean square distance of two sets of samples, of `x/alpha`.
  func distance(_ x: Tensor, _ other: Tensor, at level: NoiseLevel) -> Double {
    let squares = zip(x.scalars, other.scalars).map { pow(Double($0 - $1) / level.alpha, 2) }
    return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }
}
