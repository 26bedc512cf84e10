public import ItoComponents
public import ItoTensors

/// Which noise is added to which sample of a batch.
///
/// Any order of independent unit normals is as good as any other for what is learned in the end; one that
/// leaves noise near its sample makes the paths cross less, and learning faster.
public protocol NoisePairing: Sendable {
  /// The samples of `noise` in the order in which they go to those of `clean`, both `[batch, …]`.
  func paired(_ noise: Tensor, with clean: Tensor) -> Tensor
}

/// The noise as it was drawn.
public struct IndependentNoise: NoisePairing, Configurable {
  /// `independent`
  public static let name = "independent"
  /// What it does.
  public static let summary = "every sample gets the noise that was drawn for it"

  /// The one way to leave it.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// `noise`
  public func paired(_ noise: Tensor, with clean: Tensor) -> Tensor { noise }
}
