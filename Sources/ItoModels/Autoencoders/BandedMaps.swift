import ItoModules
import ItoTensors

/// Feature maps evaluated in bands of rows, so that of what a residual block computes only its input and
/// its result exist whole, and of a convolution's input not even that.
///
/// Nothing is approximated. A band reads the rows around it that its convolutions see, and the statistics
/// of a group norm are gathered over the bands of the whole map before any is normalised, so there are no
/// seams: the result differs from that of whole maps by rounding (relative RMS below 2e-6 in float32; where
/// Winograd's filtering is chosen for the shape of a map and not for that of a band, or the other way, by
/// its error too).
///
/// - Cost: rows at the edges of bands are normalised twice; maps that are convolved on demand are
///   convolved three times.
/// - Source: the pairwise update of means and variances is Chan, Golub & LeVeque 1979, *Updating formulae
///   and a pairwise algorithm for computing sample variances*, eq. 2.1.
struct BandedMaps {
  /// Rows of a band.
  let bandRows: Int

  /// The result of a residual block without time.
  func residual(_ block: ResidualBlock, _ x: RowSource) -> Tensor {
    require(
      block.resampling == .none && block.outputScale == 1,
      "only plain residual blocks are evaluated in bands")
    let before = affine(of: block.norm1, over: x)
    let h = map(height: x.height) { rows in
      block.conv1.band(rows, height: x.height) { before.apply(to: x.rows($0)) }
    }
    let inner = RowSource(map: h)
    let after = affine(of: block.norm2, over: inner)
    return map(height: x.height) { rows in
      let y = block.conv2.band(rows, height: x.height) { after.apply(to: inner.rows($0)) }
      let skip = x.rows(rows)
      return (block.shortcut?(skip) ?? skip) + y
    }
  }

  /// A convolution of the normalised and activated map: the end of encoder and decoder.
  func head(_ norm: GroupNorm, _ conv: Conv2D, _ x: RowSource) -> Tensor {
    let affine = affine(of: norm, over: x)
    return map(height: x.height) { rows in
      conv.band(rows, height: x.height) { affine.apply(to: x.rows($0)) }
    }
  }

  /// The whole map of `height` rows, put together from bands.
  func map(height: Int, _ band: (Range<Int>) -> Tensor) -> Tensor {
    var result: Tensor?
    for rows in bands(height) {
      let part = band(rows)
      var whole =
        result.take()
        ?? Tensor(
          uninitialized: [1, height, part.shape[2], part.shape[3]], dtype: part.dtype)
      let offset = rows.lowerBound * (part.byteCount / rows.count)
      reading(part) { bytes in
        whole.updateBytes { ($0 + offset).copyMemory(from: bytes, byteCount: part.byteCount) }
      }
      result = whole
    }
    guard let result else { trap("a map without rows") }
    return result
  }

  private func bands(_ height: Int) -> [Range<Int>] {
    stride(from: 0, to: height, by: bandRows).map { $0..<min(height, $0 + bandRows) }
  }

  /// The norm as a scale and a shift of every channel, by the statistics of the whole map.
  private func affine(of norm: GroupNorm, over x: RowSource) -> ChannelAffine {
    let groups = norm.groups
    var count = 0.0
    var means = [Double](repeating: 0, count: groups), squares = means
    for rows in bands(x.height) {
      let band = x.rows(rows).cast(to: .float32)
      let parts = band.reshaped(
        to: [rows.count * band.shape[2], groups, band.shape[3] / groups])
      let n = Double(parts.shape.count / groups)
      let (mean, variance) = (
        parts.mean(axes: [0, 2]).scalars, parts.variance(axes: [0, 2]).scalars
      )
      for g in 0..<groups {
        let difference = Double(mean[g]) - means[g], total = count + n
        means[g] += difference * n / total
        squares[g] += Double(variance[g]) * n + difference * difference * count * n / total
      }
      count += n
    }
    let (weight, bias) = (norm.weight.scalars, norm.bias.scalars)
    var scale = weight, shift = bias
    for c in weight.indices {
      let g = c * groups / weight.count
      let factor = Double(weight[c]) / (squares[g] / count + norm.epsilon).squareRoot()
      scale[c] = Float(factor)
      shift[c] = Float(Double(bias[c]) - means[g] * factor)
    }
    return ChannelAffine(
      scale: Tensor(scale, shape: [scale.count]), shift: Tensor(shift, shape: [shift.count]))
  }
}

/// A norm whose statistics are known, and the SiLU after it.
private struct ChannelAffine {
  let scale: Tensor, shift: Tensor

  func apply(to x: Tensor) -> Tensor {
    (x.cast(to: .float32) * scale + shift).silu().cast(to: x.dtype)
  }
}

/// A feature map of one picture that is asked for by rows: kept whole, or convolved on demand.
struct RowSource {
  /// Rows of the map.
  let height: Int
  /// Rows `[1, rows, width, channels]`.
  let rows: (Range<Int>) -> Tensor

  /// The map `[1, height, width, channels]`.
  init(map: Tensor) {
    height = map.shape[1]
    rows = { map.sliced($0, axis: 1) }
  }

  /// A convolution of `map`, computed anew for rows whenever they are asked for.
  init(_ conv: Conv2D, of map: Tensor) {
    let height = map.shape[1]
    self.height = height
    rows = { rows in conv.band(rows, height: height) { map.sliced($0, axis: 1) } }
  }

  /// A convolution of `map` with every pixel doubled, computed anew whenever rows are asked for.
  init(_ conv: Conv2D, ofDoubled map: Tensor) {
    let height = 2 * map.shape[1]
    self.height = height
    rows = { rows in
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
}

extension Conv2D {
  /// Rows of the result of this convolution of an input of `height` rows.
  ///
  /// - Parameter input: gives rows of the input; is asked for those the result depends on.
  func band(_ rows: Range<Int>, height: Int, input: (Range<Int>) -> Tensor) -> Tensor {
    let (stride, top) = (options.stride.height, options.padding.top)
    let first = rows.lowerBound * stride - top
    let end = (rows.upperBound - 1) * stride - top + weight.shape[1]
    var edge = options
    edge.padding.top = max(0, -first)
    edge.padding.bottom = max(0, end - height)
    return weight.apply(to: input(max(0, first)..<min(height, end)), bias: bias, edge)
  }
}
