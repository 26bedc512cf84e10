public import ItoTensors

/// The latents of a set of pictures, encoded once and kept in a mapped file, drawn in the order in which
/// the pictures would have been.
///
/// Where pictures are mirrored at random, both views are kept; shifted pictures have no cache.
///
/// - Memory: none but the file's pages in the system's cache; float16, `2 · size` bytes a view.
/// - Accuracy: that of float16, 2⁻¹¹ of a value, where the network is trained with noise far above it.
public struct CachedLatents: BatchSource {
  /// The pictures, their order and how they are varied.
  public let batches: ImageBatches
  private let latents: LatentStore

  /// The file in `folder` if it belongs to these pictures and this codec, or a new one.
  ///
  /// - Parameters:
  ///   - codec: everything the latents depend on besides the pictures.
  ///   - encode: pictures in −1…1 to latents.
  ///   - progress: told how many views of how many are done.
  /// - Throws: for pictures that are shifted, a folder that cannot be written, a damaged file.
  public init(
    _ batches: ImageBatches, codec: String, folder: String, encode: (Tensor) -> Tensor,
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(TrainingError) {
    guard batches.augmentation.maximumShift == 0 else {
      throw .data(
        .unsuitable(
          "pictures that are shifted at random cannot have cached latents; leave out the shift"))
    }
    self.batches = batches
    latents = try LatentStore(
      batches.images, mirrors: batches.augmentation.horizontalFlip, codec: codec, folder: folder,
      encode: encode, progress: progress)
  }

  /// Number of pictures.
  public var count: Int { batches.count }

  /// The latents of the pictures that `batches` would give, with their labels and captions.
  public func batch(at position: Int, count: Int) -> ImageBatch {
    let picks = batches.picks(at: position, count: count)
    let set = batches.images
    return ImageBatch(
      images: latents(picks), labels: set.labels.isEmpty ? [] : picks.map { set.labels[$0.index] },
      captions: set.captionChoices.isEmpty
        ? [] : picks.map { set.captionChoices[$0.index].first?.text ?? "" })
  }
}
