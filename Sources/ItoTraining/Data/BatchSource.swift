/// An endless stream of training samples, addressed by position, so that a resumed run is fed what it
/// would have been fed.
public protocol BatchSource: Sendable {
  /// What a batch is.
  associatedtype Batch: Sendable
  /// Number of different samples; one pass over them is an epoch.
  var count: Int { get }
  /// The `count` samples from `position` on; a function of both alone.
  func batch(at position: Int, count: Int) -> Batch
  /// Tells that the batch from `position` will be asked for soon. Does nothing unless implemented.
  func willNeed(at position: Int, count: Int)
}

extension BatchSource {
  /// Does nothing.
  public func willNeed(at position: Int, count: Int) {}
}
