import ItoCKernels

extension Tensor {
  /// `self · selfᵀ` of each matrix; half of it is computed, the other half mirrored.
  ///
  /// Not differentiated: it is for optimizers.
  /// - Shapes: float32 `[count, rows, columns]` to `[count, rows, rows]`.
  package func gramMatrices() -> Tensor {
    symmetricProduct(self, isGram: true, scale: 1, plus: nil, diagonal: 0)
  }

  /// `scale · self · other + addendScale · addend + diagonal · I` of symmetric matrices that commute
  /// (polynomials of one matrix), so that the product is symmetric too: half of it is computed, the
  /// other half mirrored.
  ///
  /// Not differentiated: it is for optimizers.
  /// - Shapes: float32 `[count, size, size]`, all of them.
  package func commutingProduct(
    _ other: Tensor, scale: Double = 1, plus addend: (scale: Double, tensor: Tensor)? = nil,
    diagonal: Double = 0
  ) -> Tensor {
    require(
      shape == other.shape && shape.rank == 3 && shape[1] == shape[2]
        && (addend == nil || addend?.tensor.shape == shape),
      "commutingProduct: \(shape) by \(other.shape)")
    return symmetricProduct(
      other, isGram: false, scale: scale, plus: addend, diagonal: diagonal)
  }

  private func symmetricProduct(
    _ other: Tensor, isGram: Bool, scale: Double, plus addend: (scale: Double, tensor: Tensor)?,
    diagonal: Double
  ) -> Tensor {
    require(
      shape.rank == 3
        && [self, other, addend?.tensor ?? self].allSatisfy {
          $0.dtype == .float32 && !$0.isTracked
        }, "symmetric product of \(dtype) \(shape): float32 matrices without history are needed")
    let (count, size, depth) = (shape[0], shape[1], shape[2])
    var desc = ito_symmetric_product_desc(
      count: Int64(count), size: Int64(size), depth: Int64(depth),
      b_is_symmetric: isGram ? 0 : 1, scale: Float(scale),
      addend_scale: Float(addend?.scale ?? 0), diagonal: Float(diagonal))
    return Tensor(building: [count, size, size], dtype: .float32) { out in
      reading(self, other) { a, b in
        readingOptional(addend?.tensor) { addend in
          ito_profile_work(2 * Double(count) * Double(size) * Double(size) * Double(depth))
          ito_symmetric_product(
            &desc, a.of(Float.self), b.of(Float.self), addend?.of(Float.self), out.of(Float.self))
        }
      }
    }
  }
}
