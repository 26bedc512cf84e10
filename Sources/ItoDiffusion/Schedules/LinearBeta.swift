public import ItoComponents

/// Discrete timesteps with β in equal steps from `betaStart` to `betaEnd`.
///
/// - Source: Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv:2006.11239, section 4.
public struct LinearBeta: TabulatedSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "linear"
  /// What other tools call it.
  public static let aliases = ["linear-beta", "ddpm"]
  /// One line for tables.
  public static let summary = "β rises linearly (DDPM)"

  /// The table.
  public let table: AlphaBarTable

  /// The schedule of DDPM unless told otherwise; `zeroTerminalSNR` and `terminalAlphaBar` as in
  /// `AlphaBarTable`.
  public init(
    timesteps: Int = 1000, betaStart: Double = 1e-4, betaEnd: Double = 0.02,
    zeroTerminalSNR: Bool = false, terminalAlphaBar: Double? = nil
  ) {
    table = AlphaBarTable(
      betas: AlphaBarTable.linspace(Float(betaStart), Float(betaEnd), timesteps),
      zeroTerminalSNR: zeroTerminalSNR, terminalAlphaBar: terminalAlphaBar)
  }

  /// Takes the options `timesteps`, `beta-start`, `beta-end`, `zero-terminal-snr`,
  /// `terminal-alpha-bar`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      timesteps: try options.int("timesteps", default: 1000, in: 2...1_000_000),
      betaStart: try options.double("beta-start", default: 1e-4, in: 0...1),
      betaEnd: try options.double("beta-end", default: 0.02, in: 0...1),
      zeroTerminalSNR: try options.bool("zero-terminal-snr", default: false),
      terminalAlphaBar: try options.double("terminal-alpha-bar", in: 0...1))
  }
}
