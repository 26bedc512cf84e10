public import ItoTensors

/// The latents of pictures with prompts, encoded once and kept in a mapped file, drawn as `batches` would
/// draw the pictures; see `CachedLatents`.
public struct CachedPromptedLatents: BatchSource {
  /// The pictures, their prompts and their order.
  public let batches: PromptedBatches
  private let latents: LatentStore

  /// The file in `folder` if it belongs to these pictures and this codec, or a new one.
  ///
  /// - Parameters:
  ///   - codec: everything the latents depend on besides the pictures.
  ///   - encode: pictures in −1…1 to latents.
  ///   - progress: told how many views of how many are done.
  /// - Throws: for pictures with transparency, which look different with every caption, a folder that
  ///   cannot be written, a damaged file.
  public init(
    _ batches: PromptedBatches, codec: String, folder: String, encode: (Tensor) -> Tensor,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(TrainingError) {
    guard batches.images.channels != 4 else {
      throw .data(
        .unsuitable(
          "what shows through transparency changes with the caption, so latents cannot be cached; "
            + "leave out \"latents\" or \"alpha\""))
    }
    self.batches = batches
    latents = try LatentStore(
      batches.images, mirrors: batches.mirrors, codec: codec, folder: folder, encode: encode,
      progress: progress)
  }

  /// Number of pictures.
  public var count: Int { batches.count }

  /// The latents of the pictures that `batches` would give, with their prompts.
  public func batch(at position: Int, count: Int) -> ImageBatch {
    let picks = batches.picks(at: position, count: count)
    return batches.batch(
      of: picks, images: latents(picks.map { PicturePick(index: $0.index, flip: $0.flip) }))
  }
}
