public import ItoCheckpoints
import ItoTensors
import Synchronization

/// One part of a pipeline: in memory all the time or until its turn ends, or loaded when its turn comes and released after.
///
///     let encoder = try prompts.load()   // a resident part costs nothing here
///     …                                  // a streamed one is released with the last copy of `encoder`
public struct Stage<Part: Sendable>: Sendable {
  private let body: @Sendable () throws(PipelineError) -> OpenStage<Part>
  /// Whether every `load` reads the part anew.
  public let isStreamed: Bool

  /// A part that stays in memory.
  public init(_ part: Part) { self.init(OpenStage(part: part, sources: [])) }

  private init(_ stage: OpenStage<Part>) {
    self.init(isStreamed: false) { () throws(PipelineError) in stage }
  }

  private init(
    isStreamed: Bool, _ body: @escaping @Sendable () throws(PipelineError) -> OpenStage<Part>
  ) {
    self.body = body
    self.isStreamed = isStreamed
  }

  /// A part that `body` makes each time it is needed.
  public init(streamed body: @escaping @Sendable () throws(PipelineError) -> Part) {
    self.init(isStreamed: true) { () throws(PipelineError) in
      OpenStage(part: try body(), sources: [])
    }
  }

  /// A part that `body` makes: now when it is to be `resident`, otherwise whenever it is needed. `body`
  /// adds to its argument the checkpoints that the part shares memory with.
  ///
  /// - Parameter isOnce: let a resident part go when its turn ends, which is expected to be the only one; another
  ///   turn makes it anew.
  public init(
    resident: Bool, once isOnce: Bool = false,
    _ body: @escaping @Sendable (inout [any TensorSource]) throws(PipelineError) -> Part
  ) throws(PipelineError) {
    let open: @Sendable () throws(PipelineError) -> OpenStage<Part> = {
      () throws(PipelineError) in
      var sources: [any TensorSource] = []
      let part = try body(&sources)
      return OpenStage(part: part, sources: sources)
    }
    if resident, isOnce {
      let held = HeldStage(try open())
      self.init(isStreamed: false) { () throws(PipelineError) in try held.stage(or: open) }
    } else if resident {
      self.init(try open())
    } else {
      self.init(isStreamed: true, open)
    }
  }

  /// The part, read from its files if it is streamed.
  public func load() throws(PipelineError) -> Part { try body().part }

  /// The part for a turn that ends with `OpenStage.finish()`.
  public func open() throws(PipelineError) -> OpenStage<Part> {
    // What the turn before let go of as it went.
    OpenStage<Part>.trim()
    return try body()
  }
}

/// A part until its turn ends.
private final class HeldStage<Part: Sendable>: Sendable {
  private let held: Mutex<OpenStage<Part>?>

  init(_ stage: OpenStage<Part>) { held = Mutex(stage) }

  func stage(
    or open: () throws(PipelineError) -> OpenStage<Part>
  ) throws(PipelineError) -> OpenStage<Part> {
    var stage: OpenStage<Part>
    if let kept = held.withLock({ $0 }) {
      stage = kept
    } else {
      stage = try open()
      held.withLock { [stage] in $0 = stage }
    }
    stage.release = { [self] in held.withLock { $0 = nil } }
    return stage
  }
}

/// A part whose turn it is.
public struct OpenStage<Part: Sendable>: Sendable {
  /// The part.
  public let part: Part
  let sources: [any TensorSource]
  /// What lets go of it when the turn ends, beside its holder.
  fileprivate var release: @Sendable () -> Void = {}

  fileprivate init(part: Part, sources: [any TensorSource]) {
    self.part = part
    self.sources = sources
  }

  /// Memory kept for reuse above which it is given back: what one part needs rarely fits the next.
  private static var keptBytes: Int { 1 << 26 }

  fileprivate static func trim() {
    if Runtime.memory.cached > keptBytes { Runtime.trim() }
  }

  /// Ends the part's turn: pages of its files and memory kept for reuse are given back, which the next turn
  /// finds again at little cost.
  ///
  /// - Throws: `nonFinite` with tensors and places when a weight that was used has NaN or infinities.
  ///   Naming them reads the part's files; otherwise there is no cost.
  public func finish() throws(PipelineError) {
    for source in sources where source.mappedFiles.contains(where: \.hasNonFinite) {
      try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        try source.checkFinite()
      }
    }
    for source in sources {
      for file in source.mappedFiles {
        file.finishPackedForms()
        file.releasePages()
      }
    }
    release()
    Self.trim()
  }
}
