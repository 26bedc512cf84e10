import ItoModules
import ItoTensors

/// Feature maps evaluated in bands of rows, so that of what a residual block computes only the map between its
/// convolutions and its result exist whole, and of a convolution's input not even that.
///
/// Nothing is approximated. A band reads the rows around it that its convolutions see, and the statistics
/// of a group norm are gathered over the bands of the whole map before any is normalised, so there are no
/// seams: the result differs from that of whole maps by rounding (relative RMS below 2e-6 in float32; where
/// Winograd's filtering is chosen for the shape of a map and not for that of a band, or the other way, by
/// its error too).
///
/// - Cost: rows at the edges of bands are normalised twice; maps that are convolved on demand are
///   convolved twice.
struct BandedMaps {
  /// Rows of a band.
  let bandRows: Int

  /// The result of a residual block without time.
  func residual(_ block: ResidualBlock, _ x: consuming RowSource) -> Tensor {
    require(
      block.resampling == .none && block.outputScale == 1,
      "only plain residual blocks are evaluated in bands")
    let height = x.height
    let before = moments(of: block.norm1, over: x)
    // What is added at the end lies where the result will: x itself, or its shortcut, of the rows that are at hand.
    let isWhole = block.shortcut == nil && x.map != nil
    var skip = BandedMap(height: height)
    let h = map(height: height) { rows in
      block.conv1.band(rows, height: height) { needed in
        var band = x.rows(needed)
        if !isWhole {
          let start = rows.lowerBound - needed.lowerBound
          let own = band.sliced(start..<start + rows.count, axis: 1)
          skip.write(block.shortcut?(own) ?? own, at: rows)
        }
        block.norm1(inPlace: &band, by: before, activation: .silu)
        return band
      }
    }
    if isWhole { skip = BandedMap(height: height, whole: x.map) }
    _ = consume x
    let inner = RowSource(map: h)
    let after = moments(of: block.norm2, over: inner)
    for rows in bands(height) {
      let sum = block.conv2.band(rows, height: height, adding: skip.rows(rows)) {
        var band = inner.rows($0)
        block.norm2(inPlace: &band, by: after, activation: .silu)
        return band
      }
      skip.write(sum, at: rows)
    }
    return skip.finished()
  }

  /// A convolution of the normalised and activated map: the end of encoder and decoder.
  func head(_ norm: GroupNorm, _ conv: Conv2D, _ x: RowSource) -> Tensor {
    let known = moments(of: norm, over: x)
    return map(height: x.height) { rows in
      conv.band(rows, height: x.height) {
        var band = x.rows($0)
        norm(inPlace: &band, by: known, activation: .silu)
        return band
      }
    }
  }

  /// The whole map of `height` rows, put together from bands.
  func map(height: Int, _ band: (Range<Int>) -> Tensor) -> Tensor {
    var result = BandedMap(height: height)
    for rows in bands(height) { result.write(band(rows), at: rows) }
    return result.finished()
  }

  private func bands(_ height: Int) -> [Range<Int>] {
    stride(from: 0, to: height, by: bandRows).map { $0..<min(height, $0 + bandRows) }
  }

  private func moments(of norm: GroupNorm, over x: RowSource) -> GroupMoments {
    var moments = GroupMoments(groups: norm.groups)
    for rows in bands(x.height) { moments.add(x.rows(rows)) }
    return moments
  }
}

/// A map of one picture that is written band by band, in place.
private struct BandedMap {
  let height: Int
  var whole: Tensor?

  init(height: Int, whole: Tensor? = nil) {
    self.height = height
    self.whole = whole
  }

  mutating func write(_ part: Tensor, at rows: Range<Int>) {
    var map =
      whole.take()
      ?? Tensor(uninitialized: [1, height, part.shape[2], part.shape[3]], dtype: part.dtype)
    let offset = rows.lowerBound * (part.byteCount / rows.count)
    reading(part) { bytes in
      map.updateBytes { ($0 + offset).copyMemory(from: bytes, byteCount: part.byteCount) }
    }
    whole = map
  }

  func rows(_ range: Range<Int>) -> Tensor { finished().sliced(range, axis: 1) }

  func finished() -> Tensor {
    guard let whole else { trap("a map without rows") }
    return whole
  }
}

/// A feature map of one picture that is asked for by rows: kept whole, or convolved on demand.
struct RowSource {
  /// Rows of the map.
  let height: Int
  /// The map `[1, height, width, channels]`, if it is whole.
  let map: Tensor?
  private let computed: ((Range<Int>) -> Tensor)?

  /// The map `[1, height, width, channels]`.
  init(map: Tensor) {
    height = map.shape[1]
    self.map = map
    computed = nil
  }

  private init(height: Int, _ computed: @escaping (Range<Int>) -> Tensor) {
    self.height = height
    self.computed = computed
    map = nil
  }

  /// A convolution of `map`, computed anew for rows whenever they are asked for.
  init(_ conv: Conv2D, of map: Tensor) {
    let height = map.shape[1]
    self.init(height: height) { rows in
      conv.band(rows, height: height) { map.sliced($0, axis: 1) }
    }
  }

  /// A convolution of `map` with every pixel doubled, computed anew whenever rows are asked for.
  init(_ conv: Conv2D, ofDoubled map: Tensor) {
    let height = 2 * map.shape[1]
    self.init(height: height) { rows in
      conv.band(rows, height: height) { doubled in
        let first = doubled.lowerBound / 2, last = (doubled.upperBound + 1) / 2
        let source = map.sliced(first..<last, axis: 1)
        let twice = source.resizedNearest(
          height: 2 * source.shape[1], width: 2 * source.shape[2])
        let start = doubled.lowerBound - 2 * first
        return twice.sliced(start..<start + doubled.count, axis: 1)
      }
    }
  }

  /// Rows `[1, rows, width, channels]`.
  func rows(_ range: Range<Int>) -> Tensor {
    if let map { return map.sliced(range, axis: 1) }
    guard let computed else { trap("a map without rows") }
    return computed(range)
  }
}

extension Conv2D {
  /// Rows of the result of this convolution of an input of `height` rows.
  ///
  /// - Parameters:
  ///   - residual: those rows of what is added to it.
  ///   - input: gives rows of the input; is asked once, for those the result depends on.
  func band(
    _ rows: Range<Int>, height: Int, adding residual: Tensor? = nil,
    input: (Range<Int>) -> Tensor
  ) -> Tensor {
    let (stride, top) = (options.stride.height, options.padding.top)
    let first = rows.lowerBound * stride - top
    let end = (rows.upperBound - 1) * stride - top + weight.shape[1]
    var edge = options
    edge.padding.top = max(0, -first)
    edge.padding.bottom = max(0, end - height)
    return weight.apply(
      to: input(max(0, first)..<min(height, end)), bias: bias, edge,
      then: Epilogue(adding: residual))
  }
}
