import ItoComponents

/// A stretch of the process, by σ/α at its ends, in which a method does something of its own.
public struct NoiseInterval: Sendable, Hashable {
  /// The least σ/α.
  public var minimum: Double
  /// The greatest σ/α.
  public var maximum: Double

  /// From `minimum` to `maximum`.
  public init(_ minimum: Double, _ maximum: Double) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Takes the options `min`, `max`.
  init(options: inout OptionReader, _ minimum: Double, _ maximum: Double) throws(OptionError) {
    self.minimum = try options.double("min", default: minimum, in: 1e-6...1e6)
    self.maximum = try options.double("max", default: maximum, in: 1e-6...1e6)
    guard self.minimum < self.maximum else {
      throw .invalidValue(
        key: "min", value: "\(self.minimum)", allowed: "less than max, \(self.maximum)")
    }
  }

  /// The error of a method called `name` for a plan without a level in the interval.
  func unmet(by name: String) -> SamplingError {
    .invalidPlan(
      "\(name) has no level with sigma/alpha between its min, \(minimum), and max, \(maximum); "
        + "take more steps or a wider interval")
  }
}
