public import ItoComponents

/// Discrete timesteps with √β in equal steps: the schedule of Stable Diffusion.
///
/// - Source: Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*,
///   arXiv:2112.10752, and its published code.
public struct ScaledLinearBeta: TabulatedSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "scaled-linear"
  /// What other tools call it.
  public static let aliases = ["scaled-linear-beta", "stable-diffusion"]
  /// One line for tables.
  public static let summary = "√β rises linearly (Stable Diffusion)"

  /// The table.
  public let table: AlphaBarTable

  /// The schedule of Stable Diffusion 1 and 2 unless told otherwise; `zeroTerminalSNR` and
  /// `terminalAlphaBar` as in `AlphaBarTable`.
  public init(
    timesteps: Int = 1000, betaStart: Double = 0.00085, betaEnd: Double = 0.012,
    zeroTerminalSNR: Bool = false, terminalAlphaBar: Double? = nil
  ) {
    let roots = AlphaBarTable.linspace(
      Float(betaStart.squareRoot()), Float(betaEnd.squareRoot()), timesteps)
    table = AlphaBarTable(
      betas: roots.map { $0 * $0 }, zeroTerminalSNR: zeroTerminalSNR,
      terminalAlphaBar: terminalAlphaBar)
  }

  /// Takes the options `timesteps`, `beta-start`, `beta-end`, `zero-terminal-snr`,
  /// `terminal-alpha-bar`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      timesteps: try options.int("timesteps", default: 1000, in: 2...1_000_000),
      betaStart: try options.double("beta-start", default: 0.00085, in: 0...1),
      betaEnd: try options.double("beta-end", default: 0.012, in: 0...1),
      zeroTerminalSNR: try options.bool("zero-terminal-snr", default: false),
      terminalAlphaBar: try options.double("terminal-alpha-bar", in: 0...1))
  }
}
