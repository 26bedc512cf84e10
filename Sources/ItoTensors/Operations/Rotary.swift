import ItoCKernels

/// Which features of a vector form the pairs that a rotary embedding turns.
public enum RotaryLayout: Sendable, Hashable {
  /// (0, 1), (2, 3), …: RoFormer, FLUX, Wan, Lumina.
  case interleaved
  /// (0, n), (1, n + 1), … for n pairs: GPT-NeoX, LLaMA, Qwen, Gemma.
  case halves
}

extension Tensor {
  /// Vectors with their features turned pair by pair by the angles of their token:
  /// `(a, b) → (a·cos − b·sin, b·cos + a·sin)`.
  ///
  /// Features beyond twice the tables' width are kept. Gradients flow to `self`, not to the tables.
  ///
  /// - Parameters:
  ///   - cosines: `[tokens, pairs]`, or `[batch, tokens, pairs]` for positions that differ within a
  ///     batch; one number per pair.
  ///   - sines: as `cosines`.
  ///   - layout: which features form a pair.
  ///   - tokenAxis: the axis of tokens: 1 in `[batch, tokens, heads, features]`, 2 in
  ///     `[batch, heads, tokens, features]`.
  /// - Source: Su et al. 2021, *RoFormer*, arXiv:2104.09864, Eq. 34.
  public func rotated(
    cos cosines: Tensor, sin sines: Tensor, layout: RotaryLayout = .interleaved, tokenAxis: Int = 1
  ) -> Tensor {
    let a = shape.axis(tokenAxis)
    let tables = cosines.shape
    require(
      a < shape.rank - 1 && dtype.isFloatingPoint && tables == sines.shape
        && (tables.rank == 2 || (tables.rank == 3 && a > 0 && tables[0] == shape[0]))
        && tables[-2] == shape.dims[a] && 2 * tables[-1] <= shape[-1],
      "rotary: \(dtype) \(shape) with tokens on axis \(tokenAxis) and tables of \(tables) and "
        + "\(sines.shape)")
    return rotated(
      cosines.detached().cast(to: .float32), sines.detached().cast(to: .float32), layout, a,
      inverse: false)
  }

  private func rotated(
    _ cosines: Tensor, _ sines: Tensor, _ layout: RotaryLayout, _ a: Int, inverse: Bool
  ) -> Tensor {
    let (outer, tokens, rest) = shape.around(a)
    let native: DType = dtype == .bfloat16 ? .bfloat16 : .float32
    let result = reading(detached().cast(to: native), cosines, sines) { input, cosines_, sines_ in
      Tensor(building: shape, dtype: native) { out in
        ito_rotary(
          native.rawValue, input, out, Int64(outer), Int64(tokens), Int64(rest / shape[-1]),
          Int64(shape[-1]), Int64(cosines.shape[-1]),
          Int64(cosines.shape.rank == 3 ? cosines.shape[0] : 1), cosines_.of(Float.self),
          sines_.of(Float.self), layout == .interleaved ? 1 : 0, inverse ? 1 : 0)
      }
    }
    return result.cast(to: dtype).recorded(from: [self]) { g in
      // A rotation's transpose turns the other way.
      [g.rotated(cosines, sines, layout, a, inverse: !inverse)]
    }
  }

  /// Tables for ``rotated(cos:sin:layout:tokenAxis:)``: the angle of pair k at position p is
  /// `p · base^(−2k/features)`, computed in double precision.
  ///
  /// For images, concatenate the tables of row and column positions along the last axis.
  ///
  /// - Parameters:
  ///   - positions: `[tokens]` or `[batch, tokens]`; may be fractional.
  ///   - features: how many features these tables turn; even.
  /// - Returns: float32 `[.., tokens, features/2]`.
  /// - Source: Su et al. 2021, *RoFormer*, arXiv:2104.09864, Eq. 15.
  public static func rotaryTables(
    positions: Tensor, features: Int, base: Double = 10_000
  ) -> (cos: Tensor, sin: Tensor) {
    require(features.isMultiple(of: 2), "rotary: \(features) features do not form pairs")
    let pairs = features / 2
    let frequencies = (0..<pairs).map { ScalarMath.power(base, -2 * Double($0) / Double(features)) }
    let angles = positions.scalars.flatMap { p in frequencies.map { Double(p) * $0 } }
    let shape = Shape(positions.shape.dims + [pairs])
    return (
      Tensor(angles.map { Float(ScalarMath.cosine($0)) }, shape: shape),
      Tensor(angles.map { Float(ScalarMath.sine($0)) }, shape: shape)
    )
  }
}
