public import ItoComponents

/// The range of noise that a spacing lays its own levels over: that of another spacing, or chosen ends.
public struct NoiseRange: Sendable {
  /// Gives the range, and where the run ends.
  public var base: any StepSpacing
  /// The least sigma, if not the base's.
  public var minimum: Double?
  /// The greatest sigma, if not the base's.
  public var maximum: Double?

  /// The whole schedule unless told otherwise.
  public init(
    minimum: Double? = nil, maximum: Double? = nil, base: any StepSpacing = UniformSpacing()
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.base = base
  }

  /// Takes the options `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      minimum: try options.double("sigma-min", in: 1e-12...1e9),
      maximum: try options.double("sigma-max", in: 1e-12...1e9),
      base: UniformSpacing(final: try options.choice("final", default: .zero)))
  }
}
