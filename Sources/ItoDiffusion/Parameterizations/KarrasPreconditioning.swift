public import ItoComponents

/// The network's input and target have unit variance at every level, given the data's deviation.
///
/// With d the data's standard deviation and D = sigma² + d²·alpha²: `skip = d²·alpha/D`,
/// `output = sigma·d/√D`, `input = 1/√D`, and the network is told `¼ log(sigma/alpha)`. For alpha 1
/// these are the paper's.
/// - Source: Karras et al. 2022, arXiv:2206.00364, table 1.
public struct KarrasPreconditioning: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "edm"
  /// What other tools call it.
  public static let aliases = ["karras", "edm-preconditioning"]
  /// One line for tables.
  public static let summary = "unit-variance input and target (EDM)"

  /// Standard deviation of the data.
  public var dataDeviation: Double
  /// Whether the network's output has the opposite sign, as in models that call it `v_prediction`.
  public var isNegated: Bool
  /// What the network is told.
  public var time: ConditioningTime

  /// The paper's, for data of standard deviation 0.5, unless told otherwise.
  public init(
    dataDeviation: Double = 0.5, isNegated: Bool = false, time: ConditioningTime = .quarterLogNoise
  ) {
    self.dataDeviation = dataDeviation
    self.isNegated = isNegated
    self.time = time
  }

  /// Takes the options `data-deviation`, `negated`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      dataDeviation: try options.double("data-deviation", default: 0.5, in: 1e-6...1e6),
      isNegated: try options.bool("negated", default: false))
  }

  /// How the output becomes the clean estimate.
  public func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let d = dataDeviation
    let root = spread(level)
    let output = level.sigma * d / root
    return Preconditioning(
      skip: d * d * level.alpha / (root * root), output: isNegated ? -output : output,
      input: 1 / root, conditioningTime: time(level))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget {
    // (clean − skip·x) / output with x written out, so that nothing is divided by sigma.
    let root = spread(level)
    let sign = isNegated ? -1.0 : 1
    return TrainingTarget(
      clean: sign * level.sigma / (dataDeviation * root),
      noise: -sign * dataDeviation * level.alpha / root)
  }

  /// Standard deviation of a sample at `level`.
  private func spread(_ level: NoiseLevel) -> Double {
    let data = dataDeviation * level.alpha
    return (level.sigma * level.sigma + data * data).squareRoot()
  }
}
