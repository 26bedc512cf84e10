public import ItoImages
import ItoTensors

/// How pictures of any size become the size a model is trained at.
public struct ImagePreparation: Sendable, Hashable {
  /// What to do with proportions that differ.
  public enum Fit: String, Sendable, Hashable, CaseIterable {
    /// Scale to cover, cut off what sticks out on both sides.
    case crop
    /// Scale to fit within, fill the rest with the background.
    case pad
    /// Scale each axis on its own.
    case stretch
    /// Keep the size and centre: cut off what is too much, fill what is missing.
    case center
  }

  /// Pixels down.
  public var height: Int
  /// Pixels across.
  public var width: Int
  /// 1 grey, 3 colour, 4 colour with alpha, which is then laid over a background batch by batch.
  public var channels: Int
  /// What to do with proportions that differ.
  public var fit: Fit
  /// How pixels are interpolated.
  public var filter: ResizeFilter
  /// What shows through transparency and fills what `pad` and `center` leave; four channels stay
  /// transparent there.
  public var background: PixelColor

  /// A preparation to `width` × `height` pixels.
  public init(
    height: Int, width: Int, channels: Int = 3, fit: Fit = .crop, filter: ResizeFilter = .lanczos3,
    background: PixelColor = .white
  ) {
    self.height = height
    self.width = width
    self.channels = channels
    self.fit = fit
    self.filter = filter
    self.background = background
  }

  /// Everything the result depends on besides the picture; part of the key of prepared copies.
  var identity: String {
    "\(height)x\(width)x\(channels) \(fit.rawValue) \(filter.rawValue) "
      + "\(background.red),\(background.green),\(background.blue)"
  }

  /// `image` at the size and with the channels of this preparation.
  public func prepared(_ image: PixelImage) -> PixelImage {
    let plain = image.converted(toChannels: channels, over: background)
    switch fit {
    case .crop: return plain.filling(width: width, height: height, filter: filter)
    case .stretch: return plain.resized(width: width, height: height, filter: filter)
    case .center: return centred(plain)
    case .pad:
      let scale = min(
        Double(width) / Double(plain.width), Double(height) / Double(plain.height))
      let (newWidth, newHeight) = (
        min(width, max(1, Int((Double(plain.width) * scale).rounded()))),
        min(height, max(1, Int((Double(plain.height) * scale).rounded())))
      )
      return centred(plain.resized(width: newWidth, height: newHeight, filter: filter))
    }
  }

  /// `image` in the middle of a picture of the wanted size.
  private func centred(_ image: PixelImage) -> PixelImage {
    if image.width == width && image.height == height { return image }
    var fill = PixelImage(width: 1, height: 1, color: background).converted(toChannels: channels)
    if channels == 4 { fill[0, 0, 3] = 0 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(height * width * channels)
    for _ in 0..<(height * width) { bytes += fill.pixels }
    // Odd remainders go to the right and to the bottom.
    let (left, top) = ((width - image.width) / 2, (height - image.height) / 2)
    let columns = min(width, image.width)
    let (from, to) = (max(0, -left), max(0, left))
    for y in 0..<height where (0..<image.height).contains(y - top) {
      let source = ((y - top) * image.width + from) * channels
      let target = (y * width + to) * channels
      bytes.replaceSubrange(
        target..<(target + columns * channels),
        with: image.pixels[source..<(source + columns * channels)])
    }
    return PixelImage(width: width, height: height, channels: channels, pixels: bytes)
  }

  /// Decodes and prepares all of `dataset`, on every core, or takes the copy that an earlier run left.
  ///
  /// An item that cannot be used is skipped and named in the result. Pictures that are in memory and
  /// have the right size are used as they are.
  ///
  /// - Parameters:
  ///   - cache: folder for the prepared copy; nil keeps it in memory. The file's name is a checksum of
  ///     the data's identity and of these settings. A copy that is damaged is made again.
  ///   - isCancelled: asked now and then; true leaves no file behind and throws `cancelled`.
  ///   - progress: told how many items of how many are done, now and then, on the caller's thread.
  /// - Throws: when more than 1 % of the items cannot be used, listing them.
  public func prepare(
    _ dataset: some Dataset, cache: String? = nil, isCancelled: () -> Bool = { false },
    progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(DataError) -> ImageSet {
    guard height > 0, width > 0, [1, 3, 4].contains(channels) else {
      throw .unsuitable("a size of \(width) × \(height) × \(channels) was asked for")
    }
    guard dataset.count > 0 else {
      throw .unsuitable("there are no pictures")
    }
    if let set = dataset as? ImageSet, set.height == height, set.width == width,
      set.channels == channels
    {
      return set
    }
    let key = "Ito prepared pictures 1; \(identity); \(dataset.identity)"
    let decoded: PreparedPixels
    if let cache {
      let file = PreparedFile(folder: cache, key: key)
      if let copy = file.read(dataset, self) {
        decoded = copy
      } else {
        decoded = try file.write(dataset, self, isCancelled, progress)
      }
    } else {
      decoded = try inMemory(dataset, isCancelled, progress)
    }
    return try described(decoded, of: dataset)
  }

  private func inMemory(
    _ dataset: some Dataset, _ isCancelled: () -> Bool, _ progress: (Int, Int) -> Void
  ) throws(DataError) -> PreparedPixels {
    let size = height * width * channels
    var bad: [Int: String] = [:]
    var failure: DataError?
    let pixels = Tensor(building: [dataset.count, height, width, channels], dtype: .uint8) { out in
      do throws(DataError) {
        bad = try decodeBlocks(of: dataset, isCancelled, progress) {
          (start, bytes) throws(DataError) in
          if let base = bytes.baseAddress {
            (out + start * size).copyMemory(from: base, byteCount: bytes.count)
          }
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return PreparedPixels(pixels: pixels, bad: bad)
  }

  /// The set with the labels and captions of `dataset`, without the items that could not be used.
  private func described(
    _ decoded: PreparedPixels, of dataset: some Dataset
  ) throws(DataError) -> ImageSet {
    var labels: [Int32] = []
    var captions: [[Caption]] = []
    var weights: [Double] = []
    for index in 0..<dataset.count {
      if let label = dataset.description(of: index).label { labels.append(label) }
      let own = dataset.captions(of: index)
      if !own.isEmpty { captions.append(own) }
      weights.append(dataset.weight(of: index))
    }
    var set = try ImageSet(
      pixels: decoded.pixels, labels: labels, captionChoices: captions,
      weights: weights.allSatisfy { $0 == 1 } ? [] : weights, classNames: dataset.classNames)
    if !decoded.bad.isEmpty {
      set = set.keeping((0..<dataset.count).filter { decoded.bad[$0] == nil })
      set.skipped = decoded.bad.keys.sorted().compactMap { decoded.bad[$0] }
    }
    return set
  }
}

/// The pixels of a data set, zero where an item could not be used, and why not.
struct PreparedPixels {
  var pixels: Tensor
  var bad: [Int: String]
}

extension ImagePreparation {
  /// Items decoded at a time; also the unit of a prepared copy's verification.
  func blockLength(count: Int) -> Int {
    max(16, min(count, (32 << 20) / (height * width * channels)))
  }

  /// Decodes the items in order, a block of some 32 MB at a time on all cores, and hands each block
  /// to `store` with the number of its first item. Returns what could not be used.
  ///
  /// Stops as soon as more than 1 % of all items are known to be bad.
  func decodeBlocks(
    of dataset: some Dataset, _ isCancelled: () -> Bool, _ progress: (Int, Int) -> Void,
    _ store: (Int, UnsafeRawBufferPointer) throws(DataError) -> Void
  ) throws(DataError) -> [Int: String] {
    let size = height * width * channels
    let count = dataset.count
    let block = blockLength(count: count)
    var bad: [Int: String] = [:]
    for start in stride(from: 0, to: count, by: block) {
      if isCancelled() { throw .cancelled }
      let length = min(block, count - start)
      let decoded = parallelMap(length) { i in
        Result { () throws(DataError) in prepared(try dataset.image(at: start + i)).pixels }
      }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(length * size)
      for (i, result) in decoded.enumerated() {
        switch result {
        case .success(let pixels): bytes += pixels
        case .failure(let error):
          bytes.append(contentsOf: repeatElement(0, count: size))
          bad[start + i] = "\(dataset.name(of: start + i)): \(error)"
        }
      }
      try checkShare(of: bad.keys.sorted().compactMap { bad[$0] }, in: count)
      try bytes.withUnsafeBufferPointer { (bytes) throws(DataError) in
        try store(start, UnsafeRawBufferPointer(bytes))
      }
      progress(start + length, count)
    }
    return bad
  }
}
