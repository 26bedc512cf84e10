public import ItoComponents
import ItoTensors

/// DPM-Solver++(2S): a step by the estimate halfway in log-SNR.
///
/// With s = σ/α: DDIM's step to s_m = √(s_c·s_d), the estimate there, then DDIM's step from x to s_d with
/// it. Without noise s_d = sₙ; ancestral, s_d and the fresh noise are those of Euler's ancestral step.
/// - Order: 2. Two evaluations a step; one in a last step to sigma 0, which is Euler's.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: Lu et al. 2022, *DPM-Solver++*, arXiv:2211.01095, algorithm 1 with r = ½;
///   `sample_dpmpp_2s_ancestral` of k-diffusion.
public struct DPMSolverPlusPlus2S: LogMidpointMethod, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++2s"
  /// What other tools call it.
  public static let aliases = ["dpmpp-2s", "dpm-solver++2s"]
  /// One line for tables.
  public static let summary = "second order in log-SNR, two evaluations a step"

  /// The noise of its steps.
  public var renewal: Renewal

  /// Without noise unless told otherwise.
  public init(renewal: Renewal = Renewal()) { self.renewal = renewal }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    renewal = try Renewal(options: &options, eta: 0)
  }

  /// The variant with fresh noise in every step.
  static let ancestral = Registry<any Solver>.Entry(
    name: "dpm++2s-ancestral", aliases: ["dpm++2s a", "dpmpp-2s-ancestral", "dpmpp-2s-a"],
    summary: "second order in log-SNR with fresh noise in every step"
  ) { (options) throws(OptionError) in
    DPMSolverPlusPlus2S(renewal: try Renewal(options: &options, eta: 1))
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: renewal.eta > 0 ? 1 : 2, evaluations: 2, isStochastic: renewal.eta > 0,
      source: "arXiv:2211.01095")
  }

  func end(
    from x: Tensor, by middle: Midpoint, down: Double, _ current: NoiseLevel, _ next: NoiseLevel
  ) -> [(coefficient: Double, tensor: Tensor)] {
    let kept = down / current.noiseToSignal
    return [(next.alpha / current.alpha * kept, x), (next.alpha * (1 - kept), middle.clean)]
  }
}
