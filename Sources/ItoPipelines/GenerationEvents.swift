public import ItoImages
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What happens in a run, in this order.
public enum GenerationEvent: Sendable {
  /// A step is done.
  case progress(GenerationProgress)
  /// What the pictures of the batch look like so far.
  case preview([PixelImage], firstPicture: Int)
  /// All is done.
  case finished([PixelImage])
}

extension ImageGenerator {
  /// Draws on a thread of its own, telling every step.
  ///
  ///     for try await event in generator.events(request) {
  ///       if case .finished(let images) = event { … }
  ///     }
  ///
  /// Ending the iteration, or cancelling its task, cancels the run before the network's next evaluation.
  /// The stream throws `PipelineError`.
  ///
  /// - Parameter previewInterval: steps from one preview to the next; none when nil.
  public func events(
    _ request: GenerationRequest, previewInterval: Int? = nil
  ) -> AsyncThrowingStream<GenerationEvent, any Error> {
    AsyncThrowingStream { continuation in
      let flag = CancellationFlag()
      continuation.onTermination = { _ in flag.raise() }
      OwnThread.run {
        do throws(PipelineError) {
          let images = try generate(request, isCancelled: { flag.isRaised }) { progress in
            continuation.yield(.progress(progress))
            if let previewInterval, previewInterval > 0, progress.done % previewInterval == 0 {
              continuation.yield(
                .preview(preview(progress), firstPicture: progress.firstPicture))
            }
          }
          continuation.yield(.finished(images))
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }

  /// Draws on a thread of its own, so that the tasks of a server are not held up.
  ///
  /// Cancelling the task cancels the run before the network's next evaluation.
  public func generate(
    _ request: GenerationRequest, previewInterval: Int?,
    onEvent: @Sendable (GenerationEvent) -> Void = { _ in }
  ) async throws -> [PixelImage] {
    for try await event in events(request, previewInterval: previewInterval) {
      if case .finished(let images) = event { return images }
      onEvent(event)
    }
    throw CancellationError()
  }
}

/// A flag that one task raises and another looks at.
private final class CancellationFlag: Sendable {
  private let value = Atomic<Bool>(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}

/// Work that takes seconds to minutes, outside of the pool that tasks share.
private enum OwnThread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func run(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    if status == 0 {
      pthread_detach(thread)
    } else {
      // No thread to be had: a task does it.
      let body = work.takeRetainedValue().body
      Task.detached { body() }
    }
  }
}
