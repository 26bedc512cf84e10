/// Which layer this is: the same for all copies of a network, another for every layer that is made.
///
/// A layer has one to name what a run keeps of it; see `EvaluationContext.constants(of:on:_:)`.
public final class LayerIdentity: Sendable {
  /// An identity of its own.
  public init() {}
}
