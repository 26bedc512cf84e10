import ItoCKernels

/// The source pixel of each of `count` pixels, as PyTorch's `nearest` computes it: in float32.
private func nearestSources(_ size: Int, _ count: Int) -> [Int32] {
  let scale = Float(size) / Float(count)
  return (0..<count).map { Int32(Swift.min(Int(Float($0) * scale), size - 1)) }
}

/// The two source pixels of each of `count` pixels whose centres are spread over those of `size`.
private func linearTaps(_ size: Int, _ count: Int) -> Taps {
  let scale = Float(size) / Float(count)
  return Taps(count: count) { i in
    let place = Swift.max(0, scale * (Float(i) + 0.5) - 0.5)
    let first = Swift.min(Int(place), size - 1)
    let weight = Swift.min(1, Swift.max(0, place - Float(first)))
    return [(first, 1 - weight), (Swift.min(first + 1, size - 1), weight)]
  }
}

extension Tensor {
  private func requireResize(_ operation: String, _ height: Int, _ width: Int) {
    requireImage(operation)
    require(
      height > 0 && width > 0 && shape[1] > 0 && shape[2] > 0,
      "\(operation): from shape \(shape) to \(height)×\(width)")
  }

  /// Images `[batch, height, width, channels]` at another size, each pixel the one of `self` that
  /// covers its top left corner: PyTorch's `interpolate(mode: "nearest")`.
  ///
  /// Any element type. The gradient of a pixel is the sum over its copies.
  public func resizedNearest(height: Int, width: Int) -> Tensor {
    requireResize("resize", height, width)
    if height == shape[1] && width == shape[2] { return self }
    let rows = nearestSources(shape[1], height)
    let columns = nearestSources(shape[2], width)
    let result = reading(self) { input in
      Tensor(building: [shape[0], height, width, shape[3]], dtype: dtype) { out in
        ito_resize_nearest(
          input, out, Int64(shape[0]), Int64(shape[1]), Int64(shape[2]),
          Int64(shape[3] * dtype.byteCount), Int64(height), Int64(width), rows, columns)
      }
    }
    return result.recorded(from: [self]) { [size = (shape[1], shape[2])] g in
      let rowTaps = Taps(count: height) { [(index: Int(rows[$0]), weight: Float(1))] }
      let columnTaps = Taps(count: width) { [(index: Int(columns[$0]), weight: Float(1))] }
      return [
        g.resampled(
          rows: rowTaps.transposed(size: size.0), columns: columnTaps.transposed(size: size.1))
      ]
    }
  }

  /// Images `[batch, height, width, channels]` at another size, each pixel blended from the four
  /// whose centres surround its own: PyTorch's `interpolate(mode: "bilinear")` with
  /// `align_corners=False` and without antialiasing.
  public func resizedBilinear(height: Int, width: Int) -> Tensor {
    requireResize("resize", height, width)
    require(dtype.isFloatingPoint, "bilinear resize of \(dtype)")
    if height == shape[1] && width == shape[2] { return self }
    return resampled(rows: linearTaps(shape[1], height), columns: linearTaps(shape[2], width))
  }
}
