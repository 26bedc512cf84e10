import ItoCheckpoints
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
  /// `[views · pictures, height, width, channels]`, mirrored ones last.
  private let latents: Tensor

  private static let keyName = "ito.latents"
  private static let chunk = 32

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
    let views = batches.augmentation.horizontalFlip ? 2 : 1
    let key = "Ito latents 1; \(views); \(codec); \(batches.images.identity)"
    let path = folder + "/latents-" + digest(key) + ".safetensors"
    do throws(DataError) { try createFolder(folder) } catch { throw .data(error) }
    do throws(CheckpointError) {
      if (try? SafeTensors(path: path))?.metadata[Self.keyName] != key {
        let all = Self.encoded(batches, views: views, encode, progress)
        try SafeTensors.write(["latents": all], metadata: [Self.keyName: key], to: path)
      }
      latents = try SafeTensors(path: path).tensor("latents")
    } catch {
      throw .checkpoint(error)
    }
    guard latents.shape.rank == 4, latents.shape[0] == views * batches.count else {
      throw .corrupt(
        file: path, reason: "it does not hold \(views) views of each picture; delete it")
    }
    self.batches = batches
  }

  /// Every view of every picture as a latent, float16.
  private static func encoded(
    _ batches: ImageBatches, views: Int, _ encode: (Tensor) -> Tensor,
    _ progress: (Int, Int) -> Void
  ) -> Tensor {
    let count = batches.count
    var parts: [Tensor] = []
    for view in 0..<views {
      for start in stride(from: 0, to: count, by: chunk) {
        let picks = (start..<min(count, start + chunk)).map { index in
          PicturePick(index: batches.images.row(of: index), flip: view == 1)
        }
        parts.append(encode(batches.images.pixels.pictures(picks)).cast(to: .float16))
        progress(view * count + start + picks.count, views * count)
      }
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// Number of pictures.
  public var count: Int { batches.count }

  /// The latents of the pictures that `batches` would give, with their labels and captions.
  public func batch(at position: Int, count: Int) -> ImageBatch {
    let picks = batches.picks(at: position, count: count)
    let rows = picks.map { Int64($0.index + ($0.flip ? batches.count : 0)) }
    let set = batches.images
    return ImageBatch(
      images: latents.indexSelected(Tensor(rows, shape: [count])).cast(to: .float32),
      labels: set.labels.isEmpty ? [] : picks.map { set.labels[$0.index] },
      captions: set.captions.isEmpty ? [] : picks.map { set.captions[$0.index] })
  }
}
