public import ItoComponents

/// The preconditioning of consistency models: the estimate equals the sample at the least noise.
///
/// With s = sigma/alpha, d the data's deviation and ε the least s, of `x/alpha`:
/// `c_skip = d²/((s − ε)² + d²)`, `c_out = d·(s − ε)/√(s² + d²)`, `c_in = 1/√(s² + d²)`; the network is told
/// `250·log s`.
/// - Source: Song et al. 2023, *Consistency Models*, arXiv:2303.01469, appendix C.
public struct ConsistencyPreconditioning: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "consistency"
  /// One line for tables.
  public static let summary =
    "the estimate equals the sample at the least noise (consistency models)"

  /// Standard deviation of the data.
  public var dataDeviation: Double
  /// ε, the least sigma/alpha.
  public var minimum: Double

  /// The paper's unless told otherwise.
  public init(dataDeviation: Double = 0.5, minimum: Double = 0.002) {
    self.dataDeviation = dataDeviation
    self.minimum = minimum
  }

  /// Takes the options `data-deviation`, `sigma-min`.
  public init(options: inout OptionReader) throws(OptionError) {
    dataDeviation = try options.double("data-deviation", default: 0.5, in: 1e-6...1e6)
    minimum = try options.double("sigma-min", default: 0.002, in: 1e-9...1e3)
  }

  /// How the output becomes the clean estimate.
  public func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let (s, d) = (level.noiseToSignal, dataDeviation)
    let root = (s * s + d * d).squareRoot()
    let distance = s - minimum
    return Preconditioning(
      skip: d * d / (distance * distance + d * d) / level.alpha, output: distance * d / root,
      input: 1 / (root * level.alpha), conditioningTime: 250 * logarithm(s))
  }

  /// What the output should be. At the least noise, where the network has no say, that of the limit.
  public func target(at level: NoiseLevel) -> TrainingTarget {
    let (s, d) = (level.noiseToSignal, dataDeviation)
    let root = (s * s + d * d).squareRoot()
    let distance = max(s - minimum, 1e-3 * minimum)
    let skip = d * d / (distance * distance + d * d)
    let output = distance * d / root
    return TrainingTarget(clean: (1 - skip) / output, noise: -skip * s / output)
  }
}
