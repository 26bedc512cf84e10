public import ItoTensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A small generator for test data: one 64-bit state, passes BigCrush, same numbers everywhere.
///
/// - Source: Steele, Lea & Flood 2014, *Fast Splittable Pseudorandom Number Generators*,
///   doi:10.1145/2660193.2660195.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator whose numbers are a function of `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in [0, 1) with 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A draw from the unit normal distribution (Box–Muller).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }
}

/// Normal values with mean `offset` and standard deviation `scale`, a function of `seed`.
public func randomTensor(
  _ shape: Shape, seed: UInt64, scale: Double = 1, offset: Double = 0, dtype: DType = .float32
) -> Tensor {
  var generator = SplitMix64(seed: seed)
  let values = (0..<shape.count).map { _ in Float(offset + scale * generator.normal()) }
  return Tensor(values, shape: shape).cast(to: dtype)
}

/// Integers drawn evenly from `range`, a function of `seed`.
public func randomIntegers(
  _ shape: Shape, in range: Range<Int>, seed: UInt64, dtype: DType = .int64
) -> Tensor {
  var generator = SplitMix64(seed: seed)
  let values = (0..<shape.count).map { _ in Int64(Int.random(in: range, using: &generator)) }
  return Tensor(values, shape: shape).cast(to: dtype)
}
