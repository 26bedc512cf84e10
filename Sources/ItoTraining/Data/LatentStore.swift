import ItoCheckpoints
import ItoTensors

/// Latents of every picture of a set, plain and, where asked for, mirrored, in a mapped file of float16.
struct LatentStore {
  /// `[views · pictures, height, width, channels]`, mirrored ones last.
  private let latents: Tensor
  private let count: Int

  private static let keyName = "ito.latents"
  private static let chunk = 32

  /// The file in `folder` if it belongs to these pictures and this codec, or a new one.
  ///
  /// - Parameters:
  ///   - mirrors: keep the mirrored pictures' latents too.
  ///   - codec: everything the latents depend on besides the pictures.
  init(
    _ images: ImageSet, mirrors: Bool, codec: String, folder: String, encode: (Tensor) -> Tensor,
    progress: (_ done: Int, _ count: Int) -> Void
  ) throws(TrainingError) {
    let views = mirrors ? 2 : 1
    let key = "Ito latents 1; \(views); \(codec); \(images.identity)"
    let path = folder + "/latents-" + digest(key) + ".safetensors"
    do throws(DataError) { try createFolder(folder) } catch { throw .data(error) }
    do throws(CheckpointError) {
      if (try? SafeTensors(path: path))?.metadata[Self.keyName] != key {
        let all = Self.encoded(images, views: views, encode, progress)
        try SafeTensors.write(["latents": all], metadata: [Self.keyName: key], to: path)
      }
      latents = try SafeTensors(path: path).tensor("latents")
    } catch {
      throw .checkpoint(error)
    }
    guard latents.shape.rank == 4, latents.shape[0] == views * images.count else {
      throw .corrupt(
        file: path, reason: "it does not hold \(views) views of each picture; delete it")
    }
    count = images.count
  }

  /// Every view of every picture as a latent, float16.
  private static func encoded(
    _ images: ImageSet, views: Int, _ encode: (Tensor) -> Tensor, _ progress: (Int, Int) -> Void
  ) -> Tensor {
    let count = images.count
    var parts: [Tensor] = []
    for view in 0..<views {
      for start in stride(from: 0, to: count, by: chunk) {
        let picks = (start..<min(count, start + chunk)).map { index in
          PicturePick(index: images.row(of: index), flip: view == 1)
        }
        parts.append(encode(images.pixels.pictures(picks)).cast(to: .float16))
        progress(view * count + start + picks.count, views * count)
      }
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// The latents of `picks`, pictures of the set, float32.
  func callAsFunction(_ picks: [PicturePick]) -> Tensor {
    let rows = picks.map { Int64($0.index + ($0.flip ? count : 0)) }
    return latents.indexSelected(Tensor(rows, shape: [rows.count])).cast(to: .float32)
  }
}
