public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How pictures are varied as they are drawn. What happens to one is a function of the seed and of
/// its position in the run, so that a resumed run sees the same pictures.
public struct Augmentation: Sendable, Hashable {
  /// Mirror every second picture, at random.
  public var horizontalFlip: Bool
  /// Shift each picture by up to this many pixels in each direction, at random; edges are repeated.
  public var maximumShift: Int

  /// No variation by default.
  public init(horizontalFlip: Bool = false, maximumShift: Int = 0) {
    self.horizontalFlip = horizontalFlip
    self.maximumShift = maximumShift
  }
}

/// The endless stream of shuffled pictures that a run is fed, addressed by position.
///
/// Position `p` is picture `p mod count` of epoch `p / count`, each epoch with its own order; batches
/// run across the end of an epoch, so every picture is drawn equally often. Everything is a function
/// of (seed, position): no state to save, and a batch can be had again.
///
/// Putting a batch together is one pass over its bytes, some 10 µs per 100,000 pixels. When the
/// pictures are in a mapped file, `willNeed` has the system read those of a later batch meanwhile.
public struct ImageBatches: BatchSource {
  /// The pictures.
  public let images: ImageSet
  /// Seed of the order and of the variation.
  public let seed: UInt64
  /// Whether the order is shuffled; otherwise every epoch is the order of the set.
  public let isShuffled: Bool
  /// How pictures are varied.
  public let augmentation: Augmentation
  /// Element type of the pictures.
  public let dtype: DType

  /// A stream of `images`, which must not be empty.
  public init(
    _ images: ImageSet, seed: UInt64, isShuffled: Bool = true, augmentation: Augmentation = .init(),
    dtype: DType = .float32
  ) throws(DataError) {
    guard images.count > 0 else { throw .unsuitable("there are no pictures") }
    guard augmentation.maximumShift >= 0,
      augmentation.maximumShift < min(images.height, images.width)
    else {
      throw .unsuitable(
        "a shift of \(augmentation.maximumShift) pixels in pictures of "
          + "\(images.width) × \(images.height)")
    }
    self.images = images
    self.seed = seed
    self.isShuffled = isShuffled
    self.augmentation = augmentation
    self.dtype = dtype
  }

  /// Number of pictures.
  public var count: Int { images.count }

  /// The `count` pictures from `position` on.
  public func batch(at position: Int, count: Int) -> ImageBatch {
    let picks = picks(at: position, count: count)
    return ImageBatch(
      images: images.pixels.pictures(stored(picks), dtype: dtype),
      labels: images.labels.isEmpty ? [] : picks.map { images.labels[$0.index] },
      captions: images.captionChoices.isEmpty
        ? [] : picks.map { images.captionChoices[$0.index].first?.text ?? "" })
  }

  /// Tells the system that the batch from `position` will be drawn soon. Does nothing for pictures
  /// that are in memory.
  public func willNeed(at position: Int, count: Int) {
    guard images.pixels.storage.isMapped else { return }
    let size = images.height * images.width * images.channels
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    reading(images.pixels) { base in
      for pick in stored(picks(at: position, count: count)) {
        let start = (Int(bitPattern: base) + pick.index * size) & ~(page - 1)
        let end = Int(bitPattern: base) + (pick.index + 1) * size
        guard let address = UnsafeMutableRawPointer(bitPattern: start) else { continue }
        // Advice: a refusal changes nothing but the time.
        _ = posix_madvise(address, end - start, POSIX_MADV_WILLNEED)
      }
    }
  }

  /// The picks with rows of the store in place of pictures of the set.
  private func stored(_ picks: [PicturePick]) -> [PicturePick] {
    if images.rows == nil { return picks }
    return picks.map { pick in
      var pick = pick
      pick.index = images.row(of: pick.index)
      return pick
    }
  }

  func picks(at position: Int, count: Int) -> [PicturePick] {
    var picks: [PicturePick] = []
    picks.reserveCapacity(count)
    var permutation: Permutation?
    var epoch = -1
    for p in position..<(position + count) {
      let (newEpoch, place) = p.quotientAndRemainder(dividingBy: images.count)
      if isShuffled && newEpoch != epoch {
        permutation = Permutation(count: images.count, seed: seed, epoch: newEpoch)
        epoch = newEpoch
      }
      picks.append(varied(PicturePick(index: permutation.map { $0[place] } ?? place), at: p))
    }
    return picks
  }

  private func varied(_ pick: PicturePick, at position: Int) -> PicturePick {
    guard augmentation != Augmentation() else { return pick }
    var pick = pick
    // Apart from the words that key the order.
    let word = mixed(mixed(seed ^ 0x6a09_e667_f3bc_c908) &+ UInt64(position))
    pick.flip = augmentation.horizontalFlip && word & 1 == 1
    let span = UInt64(2 * augmentation.maximumShift + 1)
    pick.right = Int((word >> 8 & 0xff_ffff) % span) - augmentation.maximumShift
    pick.down = Int((word >> 32 & 0xff_ffff) % span) - augmentation.maximumShift
    return pick
  }
}
