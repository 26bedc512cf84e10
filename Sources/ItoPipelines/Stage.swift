/// One part of a pipeline: in memory all the time, or loaded when its turn comes and released after.
///
///     let encoder = try prompts.load()   // a resident part costs nothing here
///     …                                  // a streamed one is released with the last copy of `encoder`
public struct Stage<Part: Sendable>: Sendable {
  private let body: @Sendable () throws(PipelineError) -> Part
  /// Whether every `load` reads the part anew.
  public let isStreamed: Bool

  /// A part that stays in memory.
  public init(_ part: Part) {
    body = { () throws(PipelineError) in part }
    isStreamed = false
  }

  /// A part that `body` makes each time it is needed.
  public init(streamed body: @escaping @Sendable () throws(PipelineError) -> Part) {
    self.body = body
    isStreamed = true
  }

  /// A part that `body` makes: now when it is to be `resident`, otherwise whenever it is needed.
  public init(
    resident: Bool, _ body: @escaping @Sendable () throws(PipelineError) -> Part
  ) throws(PipelineError) {
    if resident { self.init(try body()) } else { self.init(streamed: body) }
  }

  /// The part, read from its files if it is streamed.
  public func load() throws(PipelineError) -> Part { try body() }
}
