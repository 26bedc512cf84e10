import ItoCKernels

extension Tensor {
  /// The same values as elements of type `dtype`.
  ///
  /// Floats round to nearest even; floats to integers truncate and saturate. Between floating types
  /// gradients flow back in the element type of `self`. No copy when the type already agrees.
  public func cast(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    let source = self.dtype
    let result = reading(self) { input in
      Tensor(building: shape, dtype: dtype) { out in
        ito_convert(input, source.rawValue, out, dtype.rawValue, Int64(shape.count))
      }
    }
    return result.recorded(from: [self]) { g in
      [source.isFloatingPoint ? g.cast(to: source) : nil]
    }
  }
}
