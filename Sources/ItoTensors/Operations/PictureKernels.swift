import ItoCKernels

/// One picture of a batch: which one of a store, and how it is moved on the way out.
package struct PicturePick: Sendable, Hashable {
  /// Position in the store.
  package var index: Int
  /// Mirrored left to right, before the shift.
  package var flip: Bool
  /// Shift to the right in pixels; uncovered pixels repeat the edge.
  package var right: Int
  /// Shift down in pixels.
  package var down: Int

  package init(index: Int, flip: Bool = false, right: Int = 0, down: Int = 0) {
    self.index = index
    self.flip = flip
    self.right = right
    self.down = down
  }
}

extension Tensor {
  /// The picked pictures of this store as numbers in −1…1: `pixel / 127.5 − 1`, one pass.
  ///
  /// - Shapes: `self` uint8 `[pictures, height, width, channels]`; result
  ///   `[picks, height, width, channels]`, float32 or bfloat16.
  package func pictures(_ picks: [PicturePick], dtype type: DType = .float32) -> Tensor {
    require(
      dtype == .uint8 && shape.rank == 4 && (type == .float32 || type == .bfloat16),
      "pictures: a store of \(dtype) \(shape) to \(type)")
    let count = shape[0]
    let native = picks.map { pick in
      require(
        pick.index >= 0 && pick.index < count, "pictures: no \(pick.index) in a store of \(count)")
      return ito_picture_pick(
        index: Int64(pick.index), right: Int32(pick.right), down: Int32(pick.down),
        flip: pick.flip ? 1 : 0)
    }
    let out = Shape([picks.count, shape[1], shape[2], shape[3]])
    return reading(self) { store in
      Tensor(building: out, dtype: type) {
        ito_gather_pictures(
          store.of(UInt8.self), Int64(shape[1]), Int64(shape[2]), Int64(shape[3]), native,
          Int64(native.count), type.rawValue, $0)
      }
    }
  }

  /// Bytes `[pictures, channels, height, width]` as `[pictures, height, width, channels]`, skipping
  /// `header` bytes before each picture.
  package static func interleaving(
    _ records: UnsafeRawBufferPointer, header: Int, height: Int, width: Int, channels: Int
  ) -> Tensor {
    let stride = header + height * width * channels
    let count = records.count / stride
    return Tensor(building: [count, height, width, channels], dtype: .uint8) { out in
      guard let base = records.baseAddress, count > 0 else { return }
      ito_interleave_planes(
        (base + header).of(UInt8.self), Int64(stride), out.of(UInt8.self), Int64(count),
        Int64(channels), Int64(height * width))
    }
  }
}

/// A 64-bit checksum, the same on every processor and for every thread count; not cryptographic.
package func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  ito_checksum(bytes.baseAddress, Int64(bytes.count))
}

extension Tensor {
  /// The checksum of the elements' bytes.
  package var checksum: UInt64 { reading(self) { ito_checksum($0, Int64(byteCount)) } }
}
