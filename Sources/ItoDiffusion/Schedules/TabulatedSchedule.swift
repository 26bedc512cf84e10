#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A variance-preserving process of discrete timesteps, `alphaₜ² = ᾱₜ = ∏ₛ≤ₜ (1 − βₛ)`.
///
/// Between timesteps `sigma / alpha` is interpolated linearly, as the Euler samplers of k-diffusion
/// and diffusers do. The timestep of a given ratio is interpolated linearly in its logarithm, as
/// they do too, so the two directions agree at whole timesteps only.
///
/// Betas, ᾱ and the ratios are rounded to float32 as in those tools: published models were trained and
/// are sampled with these very values, and which timestep is nearest may depend on the last digit.
public struct AlphaBarTable: Sendable, Hashable {
  /// ᾱ at each timestep, falling.
  public let alphaBar: [Double]
  /// `sigma / alpha` at each timestep, rising; the last may be infinite.
  let ratios: [Double]
  private let logRatios: [Double]

  /// The process with the given betas.
  ///
  /// - Parameters:
  ///   - zeroTerminalSNR: rescale so that the last timestep is pure noise. Source: Lin et al. 2023,
  ///     *Common Diffusion Noise Schedules and Sample Steps are Flawed*, arXiv:2305.08891,
  ///     algorithm 1.
  ///   - terminalAlphaBar: ᾱ of the last timestep, when it shall be another. Samplers that divide by
  ///     alpha use 2⁻²⁴ with `zeroTerminalSNR`.
  public init(betas: [Float], zeroTerminalSNR: Bool = false, terminalAlphaBar: Double? = nil) {
    var alphaBar = Self.cumulativeProduct(betas.map { 1 - $0 })
    if zeroTerminalSNR {
      var roots = alphaBar.map { $0.squareRoot() }
      if let first = roots.first, let last = roots.last, first > last {
        for i in roots.indices {
          roots[i] -= last
          roots[i] *= first / (first - last)
        }
      }
      let squares = roots.map { $0 * $0 }
      var alphas = squares.prefix(1).map { $0 }
      for (value, previous) in Swift.zip(squares.dropFirst(), squares) {
        alphas.append(value / previous)
      }
      alphaBar = Self.cumulativeProduct(alphas.map { 1 - (1 - $0) })
    }
    var values = alphaBar.map(Double.init)
    if let terminalAlphaBar, !values.isEmpty { values[values.count - 1] = terminalAlphaBar }
    self.alphaBar = values
    let ratios = values.map { Float(((1 - $0) / $0).squareRoot()) }
    self.ratios = ratios.map(Double.init)
    logRatios = ratios.map { Double(logf($0)) }
  }

  private static func cumulativeProduct(_ factors: [Float]) -> [Float] {
    var product = 1.0
    return factors.map {
      product *= Double($0)
      return Float(product)
    }
  }

  /// `count` values from `start` to `end` in equal steps, in float32, symmetric about the middle.
  static func linspace(_ start: Float, _ end: Float, _ count: Int) -> [Float] {
    guard count > 1 else { return [start] }
    let step = (end - start) / Float(count - 1)
    return (0..<count).map { i in
      i < count / 2 ? start + step * Float(i) : end - step * Float(count - 1 - i)
    }
  }

  /// `sigma / alpha` at a fractional timestep from −1, which is clean, to the last.
  func ratio(at timestep: Double) -> Double {
    let last = ratios.count - 1
    let t = min(max(timestep, -1), Double(last))
    let below = Int(t.rounded(.down))
    let fraction = t - Double(below)
    let low = below < 0 ? 0 : ratios[below]
    guard fraction > 0, below < last else { return low }
    let high = ratios[below + 1]
    // Towards pure noise it is the inverse that is linear.
    return high.isFinite ? low + fraction * (high - low) : low / (1 - fraction)
  }

  /// The fractional timestep, 0 to the last, where `sigma / alpha` is `ratio`.
  func timestep(at ratio: Double) -> Double {
    let last = ratios.count - 1
    let wanted = log(ratio)
    guard last > 0, wanted > logRatios[0] else { return 0 }
    // The last timestep but one that has no more noise.
    var (low, high) = (0, last)
    while high - low > 1 {
      let middle = (low + high) / 2
      if logRatios[middle] <= wanted { low = middle } else { high = middle }
    }
    let fraction =
      ratios[high].isFinite
      ? (wanted - logRatios[low]) / (logRatios[high] - logRatios[low])
      : 1 - ratios[low] / ratio
    return Double(low) + min(max(fraction, 0), 1)
  }
}

/// A schedule given by a table of ᾱ.
public protocol TabulatedSchedule: NoiseSchedule {
  /// The table.
  var table: AlphaBarTable { get }
}

extension TabulatedSchedule {
  /// Entries of the table.
  public var timestepCount: Int? { table.alphaBar.count }

  /// The level at `time`: timestep t is at `(t + 1) / timestepCount`.
  public func level(at time: Double) -> NoiseLevel {
    let count = Double(table.alphaBar.count)
    let time = min(max(time, 0), 1)
    return NoiseLevel(time: time, noiseToSignal: table.ratio(at: count * time - 1))
  }

  /// The level with that ratio exactly, told to the network as the nearest time of the table.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    guard ratio > 0 else { return .clean }
    let count = Double(table.alphaBar.count)
    return NoiseLevel(time: (table.timestep(at: ratio) + 1) / count, noiseToSignal: ratio)
  }
}
