import Synchronization

/// A request to end a run after the step it is in.
///
/// `request` is one atomic store, so a signal handler may call it.
public final class StopFlag: Sendable {
  private let value = Atomic<Bool>(false)

  /// Nothing requested yet.
  public init() {}

  /// Asks the run to finish its step, save and return.
  public func request() { value.store(true, ordering: .releasing) }

  /// Whether that has been asked.
  public var isRequested: Bool { value.load(ordering: .acquiring) }
}
