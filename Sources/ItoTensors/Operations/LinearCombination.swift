import ItoCKernels

extension Tensor {
  /// `Σₖ coefficientₖ · tensorₖ` in one pass: a solver's step, a mix of estimates, an average.
  ///
  ///     Tensor.linearCombination([(a, x), (b, clean)])
  ///
  /// Accumulates in float32 in the order given, whatever the element types; one element is rounded
  /// once, when it is stored. A coefficient is rounded to float32.
  ///
  /// - Parameters:
  ///   - terms: at least one; tensors of one shape and of floating types, which may differ.
  ///   - dtype: element type of the result; the widest of the terms' when omitted.
  /// - Cost: reads each term once, writes the result once.
  public static func linearCombination(
    _ terms: [(coefficient: Double, tensor: Tensor)], dtype: DType? = nil
  ) -> Tensor {
    let result = combined(
      terms.map(\.tensor), terms.map { Float($0.coefficient) }, rows: 1, dtype: dtype)
    CombinationObservers.current?.combined(terms, into: result)
    return result
  }

  /// As ``linearCombination(_:dtype:)`` with a coefficient for each index of the first axis (for
  /// each sample of a batch).
  ///
  /// - Parameter terms: coefficients, as many as the first axis has indices, and tensors
  ///   `[batch, …]` of one shape.
  public static func linearCombination(
    perSample terms: [(coefficients: [Double], tensor: Tensor)], dtype: DType? = nil
  ) -> Tensor {
    let shape = terms.first?.tensor.shape ?? []
    require(shape.rank > 0, "linear combination per sample: shape \(shape) has no batch axis")
    let rows = shape.dims[0]
    var coefficients: [Float] = []
    for term in terms {
      require(
        term.coefficients.count == rows,
        "linear combination: \(term.coefficients.count) coefficients for \(rows) samples")
    }
    for row in 0..<rows { coefficients += terms.map { Float($0.coefficients[row]) } }
    return combined(terms.map(\.tensor), coefficients, rows: rows, dtype: dtype)
  }

  /// - Parameter coefficients: `[rows, tensors]`.
  private static func combined(
    _ tensors: [Tensor], _ coefficients: [Float], rows: Int, dtype: DType?
  ) -> Tensor {
    require(!tensors.isEmpty, "linear combination of nothing")
    let shape = tensors[0].shape
    var type = dtype ?? tensors[0].dtype
    for tensor in tensors {
      require(
        tensor.shape == shape && tensor.dtype.isFloatingPoint,
        "linear combination: \(tensor.dtype) \(tensor.shape) beside \(tensors[0].dtype) \(shape)")
      if dtype == nil { type = type.promoted(with: tensor.dtype) }
    }
    require(type.isFloatingPoint, "linear combination: result of \(type)")
    let length = rows > 0 ? shape.count / rows : 0
    let inputs = tensors.map { UnsafeRawPointer($0.storage.base) as UnsafeRawPointer? }
    let result = Tensor(building: shape, dtype: type) { out in
      ito_linear_combination(
        Int32(tensors.count), inputs, tensors.map(\.dtype.rawValue), coefficients, Int64(rows),
        Int64(length), out, type.rawValue)
    }
    // The pointers were taken outside `reading`, so the tensors must outlive the call.
    withExtendedLifetime(tensors) {}
    let (types, wanted) = (tensors.map(\.dtype), tensors.map(\.isTracked))
    return result.recorded(from: tensors) { g in
      types.indices.map { k -> Tensor? in
        guard wanted[k] else { return nil }
        let column = (0..<rows).map { coefficients[$0 * types.count + k] }
        return combined([g], column, rows: rows, dtype: types[k])
      }
    }
  }

  /// Whether every element is finite. Always true for integers.
  public var isFinite: Bool {
    guard dtype.isFloatingPoint else { return true }
    return reading(self) { ito_all_finite($0, dtype.rawValue, Int64(shape.count)) != 0 }
  }
}
