import ItoCKernels

extension Tensor {
  /// `self · weightᵀ + bias`, in which no row's bits depend on the other rows: one, or all that a run will ever want,
  /// computed at once.
  ///
  /// The library's products may choose the order of their sums by the number of rows; this one is always our own, whose
  /// order is fixed by the depth. Products are of float32, whatever the elements: those in half precision are widened as they
  /// are read, so that a bfloat16 result is rounded once. Where gradients are recorded it is `linear`.
  ///
  /// - Parameters:
  ///   - weight: `[out, in]`, read where it lies: nothing is packed that is kept.
  ///   - bias: `[out]`, or nil.
  ///   - type: float32 or bfloat16, of the operands and the result, whatever the weight is stored in.
  ///   - epilogue: what follows in the same pass.
  /// - Returns: `[rows, out]` for a self of `[rows, in]`.
  /// - Cost: the weight is read once. For few rows that is all; from hundreds on `linear` is quicker.
  public func linearByRow(
    _ weight: Tensor, bias: Tensor? = nil, computing type: DType? = nil,
    then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    require(
      shape.rank == 2 && weight.shape.rank == 2 && shape[1] == weight.shape[1]
        && (bias == nil || bias?.shape == [weight.shape[0]]),
      "linear by row: input \(shape), weight \(weight.shape), "
        + "bias \(bias?.shape.description ?? "none")")
    let type = (type ?? weight.dtype).productType
    let inputs = [self, weight] + [bias, epilogue.residual].compactMap { $0 }
    if shape.count == 0 || inputs.contains(where: \.isTracked) {
      return linear(weight, bias: bias, computing: type, then: epilogue)
    }
    let (m, n, k) = (shape[0], weight.shape[0], shape[1])
    epilogue.check("product", result: [m, n])
    let x = cast(to: type).cast(to: .float32)
    let w = weight.operand(computing: .float32, tracked: false)
    let bias = bias?.cast(to: .float32), residual = epilogue.residual?.cast(to: .float32)
    return weight.storage.used(as: weight.dtype) {
      Tensor(building: [m, n]) { out in
        reading(x, w) { px, pw in
          readingOptional(bias) { pb in
            readingOptional(residual) { pr in
              var desc = ito_row_product_desc(
                m: Int64(m), n: Int64(n), k: Int64(k), w_dtype: Int64(w.dtype.rawValue),
                bias: pb?.of(Float.self), residual: pr?.of(Float.self), activation: epilogue.code)
              ito_profile_work(2 * Double(m) * Double(n) * Double(k))
              ito_row_product(&desc, px.of(Float.self), pw, out.of(Float.self))
            }
          }
        }
      }
    }.cast(to: type)
  }
}
