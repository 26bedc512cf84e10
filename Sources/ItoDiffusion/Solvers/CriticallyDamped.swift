public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Critically damped Langevin diffusion: every element has a velocity, and only the velocity is given
/// noise, so that the path of the sample itself is smooth.
///
/// The process is `dq = 4v dτ`, `dv = −(q + 4v) dτ + √2 dw` (mass ¼, friction 1), from q = x₀ and a small
/// velocity; given x₀ the pair is normal with mean `μ(τ)x₀` and covariance `Σ(τ)`. The model needs no
/// velocity: `μᵀΣ⁻¹(q, v)/μᵀΣ⁻¹μ` is all that the pair says of x₀, and it is x₀ with noise of deviation
/// `(μᵀΣ⁻¹μ)^{−½}`, an ordinary sample. The run's sample is that one, so that previews, guidance and
/// caches see nothing unusual; the other coordinate, `μ₁v − μ₂q`, which is noise whatever x₀ is, is
/// carried in the solver's memory. A step draws the pair at the next level from its distribution given
/// the pair at hand and the clean estimate.
/// - Order: 1. One evaluation and two draws a step.
/// - Source: Dockhorn et al. 2022, *Score-Based Generative Modeling with Critically-Damped Langevin
///   Diffusion*, arXiv:2112.07068, equations 5 to 9 for the process; Zhang et al. 2023, *gDDIM*,
///   arXiv:2206.05564, for exponential steps of it. Differs from the former in the coordinates and in
///   the step, which is exact for a constant estimate.
public struct CriticallyDamped: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "cld"
  /// What other tools call it.
  public static let aliases = ["critically-damped-langevin", "underdamped-langevin"]
  /// One line for tables.
  public static let summary = "Langevin dynamics with velocities"

  /// Variance of the velocity at the beginning of the process, as a share of its final one.
  public var initialVelocity: Double

  /// As published unless told otherwise.
  public init(initialVelocity: Double = 0.04) { self.initialVelocity = initialVelocity }

  /// Takes the option `initial-velocity`.
  public init(options: inout OptionReader) throws(OptionError) {
    initialVelocity = try options.double("initial-velocity", default: 0.04, in: 1e-4...1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: true, source: "arXiv:2112.07068")
  }

  /// The coordinate that says nothing of the clean sample; nil before the first step.
  public struct Memory: Sendable {
    var ancillary: Tensor?
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory() }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    guard next.sigma > 0 else { return Tensor.linearCombination([(next.alpha, clean)]) }
    let here = PhaseLevel(ratio: current.noiseToSignal, initialVelocity)
    let there = PhaseLevel(ratio: next.noiseToSignal, initialVelocity)
    let draws = [try noise.normal(x.shape), try noise.normal(x.shape)]
    var ancillary = memory.ancillary ?? x
    if memory.ancillary == nil {
      let drawn = try noise.normal(x.shape)
      ancillary = Tensor.linearCombination([(here.ancillaryDeviation, drawn)])
    }
    // The pair at hand in terms of the two coordinates; at pure noise x₀ counts for nothing.
    let toPair = here.fromCoordinates
    let sampleScale = current.alpha > 0 ? 1 / current.alpha : here.ratio / current.sigma
    // Given x₀: pair' = μ'x₀ + K(pair − μx₀) + noise, K = Σ'EᵀΣ⁻¹.
    let flow = PhaseLevel.flow(here.time - there.time)
    let gain = there.covariance * flow.transposed * here.covariance.inverse
    let rest = there.covariance - gain * here.covariance * gain.transposed
    let fromSample = there.toCoordinates * gain * toPair
    let cleanWeights = there.toCoordinates * (there.mean - gain * here.mean)
    let root = (there.toCoordinates * rest * there.toCoordinates.transposed).root
    func combination(_ row: Int, scale: Double) -> Tensor {
      Tensor.linearCombination([
        (scale * fromSample[row, 0] * sampleScale, x), (scale * fromSample[row, 1], ancillary),
        (scale * cleanWeights[row], clean), (scale * root[row, 0], draws[0]),
        (scale * root[row, 1], draws[1]),
      ])
    }
    memory.ancillary = combination(1, scale: 1)
    return combination(0, scale: next.alpha)
  }
}

/// Mean and covariance of position and velocity at a time of the process, for a clean sample of 1.
private struct PhaseLevel {
  let time: Double
  let mean: Pair
  let covariance: Matrix2

  /// `e^{Fτ}`, F = [[0, 4], [−1, −4]], whose eigenvalues are both −2.
  static func flow(_ time: Double) -> Matrix2 {
    exp(-2 * time) * Matrix2(1 + 2 * time, 4 * time, -time, 1 - 2 * time)
  }

  init(time: Double, _ initialVelocity: Double) {
    self.time = time
    let flow = Self.flow(time)
    mean = flow * Pair(1, 0)
    // The covariance tends to that of rest, diag(1, ¼).
    let final = Matrix2(1, 0, 0, 0.25)
    let initial = Matrix2(0, 0, 0, 0.25 * initialVelocity)
    covariance = final + flow * (initial - final) * flow.transposed
  }

  /// The time at which the pair says as much of the clean sample as one with noise of deviation
  /// `ratio` does; ratios above 10,000 are that.
  init(ratio: Double, _ initialVelocity: Double) {
    var (low, high) = (1e-4, 8.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if Self(time: middle, initialVelocity).ratio < Swift.min(ratio, 1e4) {
        low = middle
      } else {
        high = middle
      }
    }
    self.init(time: high, initialVelocity)
  }

  private var weights: Pair { covariance.inverse * mean }

  /// `(μᵀΣ⁻¹μ)^{−½}`
  var ratio: Double { 1 / (weights[0] * mean[0] + weights[1] * mean[1]).squareRoot() }

  /// From (q, v) to the sample and the ancillary coordinate.
  var toCoordinates: Matrix2 {
    let information = weights[0] * mean[0] + weights[1] * mean[1]
    return Matrix2(weights[0] / information, weights[1] / information, -mean[1], mean[0])
  }

  var fromCoordinates: Matrix2 { toCoordinates.inverse }

  var ancillaryDeviation: Double {
    (toCoordinates * covariance * toCoordinates.transposed)[1, 1].squareRoot()
  }
}

/// Two numbers.
private struct Pair {
  private let a: Double, b: Double

  init(_ a: Double, _ b: Double) { (self.a, self.b) = (a, b) }

  subscript(index: Int) -> Double { index == 0 ? a : b }

  static func - (x: Pair, y: Pair) -> Pair { Pair(x.a - y.a, x.b - y.b) }
}

/// A matrix of two rows and two columns.
private struct Matrix2 {
  private let a: Double, b: Double, c: Double, d: Double

  init(_ a: Double, _ b: Double, _ c: Double, _ d: Double) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }

  subscript(row: Int, column: Int) -> Double {
    row == 0 ? (column == 0 ? a : b) : (column == 0 ? c : d)
  }

  var transposed: Matrix2 { Matrix2(a, c, b, d) }

  var inverse: Matrix2 {
    let determinant = a * d - b * c
    return Matrix2(d / determinant, -b / determinant, -c / determinant, a / determinant)
  }

  /// The lower triangle whose product with its transpose this is; what rounding made negative is 0.
  var root: Matrix2 {
    let first = Swift.max(0, a).squareRoot()
    let side = first > 0 ? c / first : 0
    return Matrix2(first, 0, side, Swift.max(0, d - side * side).squareRoot())
  }

  static func + (x: Matrix2, y: Matrix2) -> Matrix2 {
    Matrix2(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d)
  }
  static func - (x: Matrix2, y: Matrix2) -> Matrix2 { x + -1 * y }
  static func * (s: Double, x: Matrix2) -> Matrix2 { Matrix2(s * x.a, s * x.b, s * x.c, s * x.d) }
  static func * (x: Matrix2, y: Matrix2) -> Matrix2 {
    Matrix2(
      x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c, x.c * y.b + x.d * y.d)
  }
  static func * (x: Matrix2, y: Pair) -> Pair {
    Pair(x.a * y[0] + x.b * y[1], x.c * y[0] + x.d * y[1])
  }
}
