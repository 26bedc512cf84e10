public import ItoComponents
public import ItoDiffusion

/// How much the error at each noise level counts.
///
/// A weighting is of the squared error of the clean estimate, so it means the same whatever the
/// network predicts. The error of the network's output is that error divided by
/// `preconditioning.output`, hence the weight that the loss applies is `weight · output²`.
public protocol LossWeighting: Sendable {
  /// The weight of the squared error of the network's output at `level`.
  func outputWeight(at level: NoiseLevel, _ preconditioning: Preconditioning) -> Double
}

/// The plain squared error of the network's output: of the noise for a noise-predicting network, of
/// the velocity for a flow.
///
/// - Source: Ho et al. 2020, arXiv:2006.11239, equation 14 (*L_simple*).
public struct PlainWeighting: LossWeighting, Configurable {
  /// `none`
  public static let name = "none"
  /// Its other name.
  public static let aliases = ["plain"]
  /// What it does.
  public static let summary = "the plain error of what the network predicts"

  /// The one plain weighting.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// 1
  public func outputWeight(at level: NoiseLevel, _ preconditioning: Preconditioning) -> Double { 1 }
}

/// The signal-to-noise ratio, capped: levels with little noise no longer outweigh the others.
///
/// `min(SNR, γ)` on the clean estimate: `min(SNR, γ) / SNR` on predicted noise,
/// `min(SNR, γ) / (SNR + 1)` on v.
///
/// - Source: Hang et al. 2023, *Efficient Diffusion Training via Min-SNR Weighting Strategy*,
///   arXiv:2303.09556, section 3.4; γ = 5.
public struct MinSNRWeighting: LossWeighting, Configurable {
  /// `min-snr`
  public static let name = "min-snr"
  /// What it does.
  public static let summary = "the signal-to-noise ratio, capped"

  /// The cap.
  public var gamma: Double

  /// A cap of `gamma`.
  public init(gamma: Double = 5) { self.gamma = gamma }

  /// Option `gamma` (5).
  public init(options: inout OptionReader) throws(OptionError) {
    gamma = try options.double("gamma", default: 5, in: 1e-6...1e6)
  }

  /// `min(SNR, γ) · output²`
  public func outputWeight(at level: NoiseLevel, _ preconditioning: Preconditioning) -> Double {
    let output = preconditioning.output
    let ratio = level.alpha / level.sigma
    // Multiplied before the cap is taken, so that no noise (SNR ∞, output 0) does not give NaN.
    return min(gamma * output * output, (ratio * output) * (ratio * output))
  }
}

/// The weighting of EDM, under which a network with EDM's preconditioning starts with the same loss at
/// every level.
///
/// `(ρ² + σ_d²) / (ρ·σ_d)²` on the clean estimate, ρ = sigma / alpha and σ_d the data's deviation.
///
/// - Source: Karras et al. 2022, arXiv:2206.00364, table 1.
public struct EDMWeighting: LossWeighting, Configurable {
  /// `edm`
  public static let name = "edm"
  /// What it does.
  public static let summary = "equal loss at every level for EDM's preconditioning"

  /// Standard deviation of the data.
  public var dataDeviation: Double

  /// The weighting for data of that standard deviation.
  public init(dataDeviation: Double = 0.5) { self.dataDeviation = dataDeviation }

  /// Option `sigma-data` (0.5).
  public init(options: inout OptionReader) throws(OptionError) {
    dataDeviation = try options.double("sigma-data", default: 0.5, in: 1e-3...1e3)
  }

  /// `(ρ² + σ_d²) / (ρ·σ_d)² · output²`
  public func outputWeight(at level: NoiseLevel, _ preconditioning: Preconditioning) -> Double {
    let (data, output) = (dataDeviation, preconditioning.output)
    let ratio = level.noiseToSignal
    // 1/σ_d² + 1/ρ², each times output².
    let ofNoise = output / ratio
    return output * output / (data * data) + ofNoise * ofNoise
  }
}
