import ItoTensors

extension PixelImage {
  /// The picture at another size.
  ///
  /// Columns are resampled first, then rows, with 8 bits between the two, which agrees with
  /// Pillow's `Image.resize` within 1/255. Colours are weighted by alpha, so that what is
  /// transparent does not bleed into edges.
  ///
  /// - Cost: `height · newWidth · tx + newHeight · newWidth · ty` multiplications per channel, with
  ///   t = 2·radius·max(1, old/new) taps along an axis.
  public func resized(
    width newWidth: Int, height newHeight: Int, filter: ResizeFilter = .lanczos3
  ) -> PixelImage {
    require(newWidth > 0 && newHeight > 0, "cannot resize to \(newWidth)×\(newHeight) pixels")
    if newWidth == width && newHeight == height { return self }
    if filter == .nearest { return nearest(width: newWidth, height: newHeight) }
    var result = hasAlpha ? premultiplied() : self
    if newWidth != width {
      result = result.resampledColumns(ResizeTaps(from: width, to: newWidth, filter: filter))
    }
    if newHeight != height {
      result = result.resampledRows(ResizeTaps(from: height, to: newHeight, filter: filter))
    }
    return hasAlpha ? result.unpremultiplied() : result
  }

  /// The picture scaled to cover `width`×`height` and centre-cropped to it, proportions kept.
  public func filling(
    width newWidth: Int, height newHeight: Int, filter: ResizeFilter = .lanczos3
  ) -> PixelImage {
    require(newWidth > 0 && newHeight > 0, "cannot resize to \(newWidth)×\(newHeight) pixels")
    // The largest part with the target's proportions.
    let fitsWidth = width * newHeight <= height * newWidth
    let partWidth = fitsWidth ? width : max(1, (height * newWidth + newHeight / 2) / newHeight)
    let partHeight = fitsWidth ? max(1, (width * newHeight + newWidth / 2) / newWidth) : height
    let part = cropped(
      x: (width - partWidth) / 2, y: (height - partHeight) / 2, width: partWidth,
      height: partHeight)
    return part.resized(width: newWidth, height: newHeight, filter: filter)
  }

  private func nearest(width newWidth: Int, height newHeight: Int) -> PixelImage {
    func sources(_ old: Int, _ new: Int) -> [Int] {
      let scale = Double(old) / Double(new)
      return (0..<new).map { min(old - 1, Int((Double($0) + 0.5) * scale)) }
    }
    let columns = sources(width, newWidth)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(newWidth * newHeight * channels)
    for y in sources(height, newHeight) {
      for x in columns {
        let start = (y * width + x) * channels
        for c in 0..<channels { bytes.append(pixels[start + c]) }
      }
    }
    return PixelImage(width: newWidth, height: newHeight, channels: channels, pixels: bytes)
  }

  private func resampledColumns(_ taps: ResizeTaps) -> PixelImage {
    let newWidth = taps.starts.count
    let bytes = [UInt8](unsafeUninitializedCapacity: newWidth * height * channels) { out, count in
      pixels.withUnsafeBufferPointer { source in
        taps.weights.withUnsafeBufferPointer { weights in
          for y in 0..<height {
            for x in 0..<newWidth {
              let range = taps.offsets[x]..<taps.offsets[x + 1]
              let start = (y * width + taps.starts[x]) * channels
              for c in 0..<channels {
                var sum: Int32 = Self.half
                var at = start + c
                for k in range {
                  sum &+= weights[k] &* Int32(source[at])
                  at += channels
                }
                out[(y * newWidth + x) * channels + c] = Self.byte(sum)
              }
            }
          }
        }
      }
      count = out.count
    }
    return PixelImage(width: newWidth, height: height, channels: channels, pixels: bytes)
  }

  private func resampledRows(_ taps: ResizeTaps) -> PixelImage {
    let newHeight = taps.starts.count
    let stride = width * channels
    // A whole row of sums at a time, so that the inner loop runs along memory.
    var sums = [Int32](repeating: 0, count: stride)
    let bytes = [UInt8](unsafeUninitializedCapacity: stride * newHeight) { out, count in
      pixels.withUnsafeBufferPointer { source in
        sums.withUnsafeMutableBufferPointer { sums in
          for y in 0..<newHeight {
            sums.update(repeating: Self.half)
            for (row, k) in (taps.offsets[y]..<taps.offsets[y + 1]).enumerated() {
              let start = (taps.starts[y] + row) * stride
              let weight = taps.weights[k]
              for i in 0..<stride { sums[i] &+= weight &* Int32(source[start + i]) }
            }
            for i in 0..<stride { out[y * stride + i] = Self.byte(sums[i]) }
          }
        }
      }
      count = out.count
    }
    return PixelImage(width: width, height: newHeight, channels: channels, pixels: bytes)
  }

  private static let half: Int32 = 1 << (ResizeTaps.fractionBits - 1)

  @inline(__always)
  private static func byte(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> ResizeTaps.fractionBits, 0), 255))
  }

  private func premultiplied() -> PixelImage {
    mappingColors { color, alpha in
      let product = color * alpha + 128
      return (product + (product >> 8)) >> 8
    }
  }

  private func unpremultiplied() -> PixelImage {
    mappingColors { color, alpha in
      alpha == 0 || alpha == 255 ? color : min(255, color * 255 / alpha)
    }
  }

  private func mappingColors(_ body: (_ color: Int, _ alpha: Int) -> Int) -> PixelImage {
    var result = self
    for i in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[i + 3])
      for c in i..<i + 3 {
        result.pixels[c] = UInt8(truncatingIfNeeded: body(Int(pixels[c]), alpha))
      }
    }
    return result
  }
}
