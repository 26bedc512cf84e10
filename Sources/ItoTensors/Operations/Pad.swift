/// What lies beyond the edges of a padded tensor.
public enum PaddingMode: Sendable, Hashable {
  /// One value everywhere.
  case constant(Double)
  /// The tensor mirrored about its outermost elements, which are not repeated: `c b | a b c | b a`.
  case reflect
  /// The outermost element: `a a | a b c | c c`.
  case replicate
  /// The tensor again: `b c | a b c | a b`.
  case circular
}

extension Tensor {
  /// Elements added before and after each axis.
  ///
  /// - Parameters:
  ///   - padding: how many to add at the start and the end of each axis; one pair per axis.
  ///   - mode: their values. `reflect` adds fewer than the axis has, `circular` at most as many.
  public func padded(
    _ padding: [(before: Int, after: Int)], mode: PaddingMode = .constant(0)
  ) -> Tensor {
    require(
      padding.count == shape.rank && padding.allSatisfy { $0.before >= 0 && $0.after >= 0 },
      "pad: \(padding) is not a pair of counts for each axis of shape \(shape)")
    if padding.allSatisfy({ $0.before == 0 && $0.after == 0 }) { return self }
    if case .constant(let value) = mode { return padded(padding, value: value) }
    return padding.enumerated().reduce(self) { tensor, pair in
      let (axis, (before, after)) = pair
      return before + after == 0 ? tensor : tensor.extended(axis, before, after, mode)
    }
  }

  /// Elements of `value` added above, below, left and right of images `[.., height, width, channels]`.
  public func padded(
    top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0, mode: PaddingMode = .constant(0)
  ) -> Tensor {
    require(shape.rank >= 3, "pad: shape \(shape) is not [.., height, width, channels]")
    let none = [(before: Int, after: Int)](repeating: (0, 0), count: shape.rank - 3)
    return padded(none + [(top, bottom), (left, right), (0, 0)], mode: mode)
  }

  private func padded(_ padding: [(before: Int, after: Int)], value: Double) -> Tensor {
    let target = Shape(
      Swift.zip(shape.dims, padding).map { $0 + $1.before + $1.after })
    let strides = target.strides
    let fill = Tensor(repeating: value, shape: [1], dtype: dtype)
    let none = Layout(strides: [Int](repeating: 0, count: shape.rank))
    let result = reading(self, fill) { input, fill in
      Tensor(building: target, dtype: dtype) { out in
        // The frame, axis by axis: inside along the axes before, whole along those after.
        var inside = Layout(strides: strides)
        var slab = target
        for axis in 0..<shape.rank {
          let (size, pad) = (shape.dims[axis], padding[axis])
          for (start, count) in [(0, pad.before), (pad.before + size, pad.after)] where count > 0 {
            slab.dims[axis] = count
            let at = Layout(offset: inside.offset + start * strides[axis], strides: strides)
            copyElements(slab, of: dtype, from: fill, none, to: out, at)
          }
          slab.dims[axis] = size
          inside.offset += pad.before * strides[axis]
        }
        copyElements(
          shape, of: dtype, from: input, Layout(strides: shape.strides), to: out, inside)
      }
    }
    let offset = Swift.zip(padding, strides).reduce(0) { $0 + $1.0.before * $1.1 }
    return result.recorded(from: [self]) { [shape = self.shape] g in
      [g.copied(as: shape, Layout(offset: offset, strides: strides))]
    }
  }

  private func extended(_ axis: Int, _ before: Int, _ after: Int, _ mode: PaddingMode) -> Tensor {
    let size = shape.dims[axis]
    let most = mode == .reflect ? size - 1 : mode == .circular ? size : size > 0 ? .max : 0
    require(
      before <= most && after <= most,
      "pad: \(mode) cannot add \(before) and \(after) to axis \(axis) of shape \(shape)")
    let indices = (-before..<size + after).map { i -> Int64 in
      switch mode {
      case .reflect: Int64(i < 0 ? -i : i < size ? i : 2 * size - 2 - i)
      case .circular: Int64((i + size) % size)
      case .replicate, .constant: Int64(Swift.min(Swift.max(i, 0), size - 1))
      }
    }
    return indexSelected(Tensor(indices, shape: [indices.count]), axis: axis)
  }
}
