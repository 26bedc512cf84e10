/// Discrete timesteps with betas of one's own, as a published configuration may list them.
public struct TrainedBetas: TabulatedSchedule {
  /// The table.
  public let table: AlphaBarTable

  /// The schedule of `betas`, at least two; the rest as in `AlphaBarTable`.
  public init(betas: [Double], zeroTerminalSNR: Bool = false, terminalAlphaBar: Double? = nil) {
    table = AlphaBarTable(
      betas: betas.map { Float($0) }, zeroTerminalSNR: zeroTerminalSNR,
      terminalAlphaBar: terminalAlphaBar)
  }
}
