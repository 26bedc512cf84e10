public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Discrete timesteps whose ᾱ follows a squared cosine, with β capped: `squaredcos_cap_v2`.
///
/// `βₜ = min(1 − f((t+1)/T) / f(t/T), cap)`, `f(u) = cos²((u + 0.008)/1.008 · π/2)`
///
/// - Source: Nichol & Dhariwal 2021, *Improved Denoising Diffusion Probabilistic Models*,
///   arXiv:2102.09672, equation 17.
public struct CosineBeta: TabulatedSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "cosine-beta"
  /// What other tools call it.
  public static let aliases = ["squaredcos-cap-v2", "glide"]
  /// One line for tables.
  public static let summary = "ᾱ follows a squared cosine at discrete timesteps"

  /// The table.
  public let table: AlphaBarTable

  /// 1,000 timesteps with β at most 0.999 unless told otherwise; `zeroTerminalSNR` and
  /// `terminalAlphaBar` as in `AlphaBarTable`.
  public init(
    timesteps: Int = 1000, cap: Double = 0.999, zeroTerminalSNR: Bool = false,
    terminalAlphaBar: Double? = nil
  ) {
    func alphaBar(_ u: Double) -> Double {
      let cosine = cos((u + 0.008) / 1.008 * Double.pi / 2)
      return cosine * cosine
    }
    let betas = (0..<timesteps).map { t in
      let (from, to) = (Double(t) / Double(timesteps), Double(t + 1) / Double(timesteps))
      return Float(min(1 - alphaBar(to) / alphaBar(from), cap))
    }
    table = AlphaBarTable(
      betas: betas, zeroTerminalSNR: zeroTerminalSNR, terminalAlphaBar: terminalAlphaBar)
  }

  /// Takes the options `timesteps`, `cap`, `zero-terminal-snr`, `terminal-alpha-bar`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      timesteps: try options.int("timesteps", default: 1000, in: 2...1_000_000),
      cap: try options.double("cap", default: 0.999, in: 0...1),
      zeroTerminalSNR: try options.bool("zero-terminal-snr", default: false),
      terminalAlphaBar: try options.double("terminal-alpha-bar", in: 0...1))
  }
}
