import ItoDiffusion
public import ItoImages
import ItoTensors

/// The endless stream of pictures with prompts that a run is fed, addressed by position.
///
/// In training, every `ImageSet.count · spread` positions the pictures are drawn in proportion to their
/// weights, as evenly as the weights allow and in a new order: place k of n takes the picture at the
/// quantile (k + u) / n, u random. Which of its captions it comes with is random, and what shows through
/// its transparency is that caption's background. Outside training, pictures come in order with their
/// first caption. Every second picture is mirrored at random where `mirrors` is set. Everything is a
/// function of (seed, position).
public struct PromptedBatches: BatchSource {
  /// The pictures, with captions.
  public let images: ImageSet
  /// Their captions, encoded; nil for pictures alone.
  public let captions: EncodedCaptions?
  /// Seed of the order and of the choices.
  public let seed: UInt64
  /// Whether pictures are drawn by weight, with any of their captions.
  public let isTraining: Bool
  /// Whether half of the pictures are mirrored, in training.
  public let mirrors: Bool
  /// What shows through where a caption does not say.
  public let background: PixelColor
  /// Weights summed up to and including each picture.
  private let sums: [Double]

  private static let spread = 4

  /// A stream of `images`, each of which has a caption, encoded in `captions` where prompts are wanted.
  public init(
    _ images: ImageSet, captions: EncodedCaptions?, seed: UInt64, isTraining: Bool = true,
    mirrors: Bool = false, background: PixelColor = .white
  ) throws(DataError) {
    guard images.count > 0 else { throw .unsuitable("there are no pictures") }
    guard images.captionChoices.count == images.count else {
      throw .unsuitable(
        "the pictures have no captions; put a text file beside each, or list them in metadata.jsonl"
      )
    }
    self.images = images
    self.captions = captions
    self.seed = seed
    self.isTraining = isTraining
    self.mirrors = mirrors && isTraining
    self.background = background
    var sum = 0.0
    sums = (0..<images.count).map { index in
      sum += images.weight(of: index)
      return sum
    }
    guard sum > 0 else { throw .unsuitable("the weights of all pictures are 0") }
  }

  /// Number of pictures.
  public var count: Int { images.count }

  /// The `count` pictures from `position` on, `[count, height, width, 1 or 3]`, with their prompts.
  public func batch(at position: Int, count: Int) -> ImageBatch {
    let picks = picks(at: position, count: count)
    return batch(of: picks, images: composed(picks))
  }

  /// A picture with the caption it comes with.
  typealias Pick = (index: Int, caption: Caption, flip: Bool)

  func picks(at position: Int, count: Int) -> [Pick] {
    (position..<(position + count)).map(pick)
  }

  /// What goes with the pictures `images` of `picks`.
  func batch(of picks: [Pick], images pictures: Tensor) -> ImageBatch {
    let texts = picks.map(\.caption.text)
    return ImageBatch(
      images: pictures,
      labels: images.labels.isEmpty ? [] : picks.map { images.labels[$0.index] },
      captions: texts, conditioning: captions?.conditioning(texts) ?? Conditioning())
  }

  private func pick(_ position: Int) -> Pick {
    guard isTraining else {
      let index = position % count
      return (index, images.captionChoices[index][0], false)
    }
    let places = count * Self.spread
    let (epoch, place) = position.quotientAndRemainder(dividingBy: places)
    let slot = Permutation(count: places, seed: seed, epoch: epoch)[place]
    let word = mixed(mixed(seed ^ 0xbb67_ae85_84ca_a73b) &+ UInt64(position))
    let quantile = (Double(slot) + Double(word >> 40) / Double(1 << 24)) / Double(places)
    let index = picture(at: quantile * (sums.last ?? 0))
    let choices = images.captionChoices[index]
    let caption = choices[Int((word & 0xffff_ffff) % UInt64(choices.count))]
    return (index, caption, mirrors && mixed(word) & 1 == 1)
  }

  /// The first picture whose summed weight is above `mark`.
  private func picture(at mark: Double) -> Int {
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > mark { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The pictures in −1…1 over their backgrounds.
  private func composed(_ picks: [Pick]) -> Tensor {
    guard images.channels == 4 else {
      return images.pixels.pictures(
        picks.map { PicturePick(index: images.row(of: $0.index), flip: $0.flip) })
    }
    let (height, width) = (images.height, images.width), area = height * width
    return Tensor(building: [picks.count, height, width, 3]) { out in
      reading(images.pixels) { store in
        for (place, pick) in picks.enumerated() {
          let color = pick.caption.background ?? background
          let target = out.of(Float.self) + place * area * 3
          compose(
            store.of(UInt8.self) + images.row(of: pick.index) * area * 4, over: color, into: target,
            count: area)
          if pick.flip { mirror(target, rows: height, width: width) }
        }
      }
    }
  }
}

/// Turns the rows of RGB pixels around.
private func mirror(_ pixels: UnsafeMutablePointer<Float>, rows: Int, width: Int) {
  for row in 0..<rows {
    let start = pixels + row * width * 3
    for i in 0..<(width / 2) {
      for channel in 0..<3 {
        let (a, b) = (3 * i + channel, 3 * (width - 1 - i) + channel)
        (start[a], start[b]) = (start[b], start[a])
      }
    }
  }
}

/// `2 · (color·alpha + background·(1 − alpha)) − 1` of `count` RGBA pixels, not premultiplied.
private func compose(
  _ pixels: UnsafePointer<UInt8>, over color: PixelColor, into out: UnsafeMutablePointer<Float>,
  count: Int
) {
  let scale: Float = 2 / (255 * 255)
  let (red, green, blue) = (Int32(color.red), Int32(color.green), Int32(color.blue))
  for i in 0..<count {
    let p = pixels + 4 * i, q = out + 3 * i
    let alpha = Int32(p[3])
    q[0] = Float(Int32(p[0]) * alpha + red * (255 - alpha)) * scale - 1
    q[1] = Float(Int32(p[1]) * alpha + green * (255 - alpha)) * scale - 1
    q[2] = Float(Int32(p[2]) * alpha + blue * (255 - alpha)) * scale - 1
  }
}
