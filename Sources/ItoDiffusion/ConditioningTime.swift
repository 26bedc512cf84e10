import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What a network is told about the noise level.
public enum ConditioningTime: Sendable, Hashable {
  /// `scale·time + offset`, rounded if the network knows whole numbers only.
  case affine(scale: Double, offset: Double, rounding: Rounding)
  /// `¼ log(sigma / alpha)`, as in EDM.
  case quarterLogNoise
  /// `2/π·atan(sigma / alpha)`, from 0 to 1.
  case arcTangent

  /// How a time becomes a whole number.
  public enum Rounding: String, Sendable, Hashable, CaseIterable {
    case none, nearest, down
  }

  /// The timestep of a schedule with `count` of them, 0 to `count - 1`.
  public static func timestep(_ count: Int = 1000, rounding: Rounding = .none) -> Self {
    .affine(scale: Double(count), offset: -1, rounding: rounding)
  }

  /// The time times `scale`.
  public static func scaled(_ scale: Double, rounding: Rounding = .none) -> Self {
    .affine(scale: scale, offset: 0, rounding: rounding)
  }

  /// The value at `level`.
  public func callAsFunction(_ level: NoiseLevel) -> Double {
    switch self {
    case .quarterLogNoise: return log(level.noiseToSignal) / 4
    case .arcTangent: return atan2(level.sigma, level.alpha) / (Double.pi / 2)
    case .affine(let scale, let offset, let rounding):
      let value = scale * level.time + offset
      switch rounding {
      case .none: return value
      case .nearest: return value.rounded(.toNearestOrEven)
      case .down: return value.rounded(.down)
      }
    }
  }

  /// Takes `time-scale`, `time-offset` and `time-rounding`, or `log-noise`.
  init(options: inout OptionReader, offset: Double) throws(OptionError) {
    let usesLogNoise = try options.bool("log-noise", default: false)
    let scale = try options.double("time-scale", default: 1000)
    let offset = try options.double("time-offset", default: offset)
    let rounding = try options.choice("time-rounding", default: Rounding.none)
    self =
      usesLogNoise ? .quarterLogNoise : .affine(scale: scale, offset: offset, rounding: rounding)
  }
}
