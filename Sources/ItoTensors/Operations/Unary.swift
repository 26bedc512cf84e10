import ItoCKernels

/// What the gradient of an elementwise function is computed from.
enum SavedValue { case input, result }

// Elementwise functions. All compute in float32 (float16 converts on the way in and out), keep the
// element type and let NaN through. Cost of each: one pass over the elements.
extension Tensor {
  /// Applies the native function `op` (`ITO_UNARY_…`) with its parameters.
  func unary(_ op: Int, saving: SavedValue, _ a: Double = 0, _ b: Double = 0) -> Tensor {
    require(dtype.isFloatingPoint, "an elementwise function of a tensor of \(dtype)")
    if dtype == .float16 {
      return cast(to: .float32).unary(op, saving: saving, a, b).cast(to: .float16)
    }
    let result = reading(self) { x in
      Tensor(building: shape, dtype: dtype) { out in
        ito_unary(
          Int32(op), x, out, dtype.rawValue, Int64(shape.count), Float(a), Float(b))
      }
    }
    return result.recorded(from: [self]) { [saved = saving == .input ? detached() : result] g in
      [
        reading(saved, g) { s, g in
          Tensor(building: saved.shape, dtype: saved.dtype) { out in
            ito_unary_gradient(
              Int32(op), s, g, out, saved.dtype.rawValue, Int64(saved.shape.count), Float(a),
              Float(b))
          }
        }
      ]
    }
  }

  /// e to the power of every element; 1 ulp.
  public func exp() -> Tensor { unary(Int(ITO_UNARY_EXP), saving: .result) }

  /// Natural logarithm: −∞ at zero, NaN below; 1 ulp.
  public func log() -> Tensor { unary(Int(ITO_UNARY_LOG), saving: .input) }

  /// Square root; NaN below zero.
  public func sqrt() -> Tensor { unary(Int(ITO_UNARY_SQRT), saving: .result) }

  /// One over the square root.
  public func rsqrt() -> Tensor { unary(Int(ITO_UNARY_RSQRT), saving: .result) }

  /// Absolute value; its gradient at zero is zero.
  public func abs() -> Tensor { unary(Int(ITO_UNARY_ABS), saving: .input) }

  /// Every element times itself.
  public func squared() -> Tensor { unary(Int(ITO_UNARY_SQUARE), saving: .input) }

  /// One over every element.
  public func reciprocal() -> Tensor { unary(Int(ITO_UNARY_RECIPROCAL), saving: .result) }

  /// Sine of radians, exact to 2 ulp for arguments of any size.
  public func sin() -> Tensor { unary(Int(ITO_UNARY_SIN), saving: .input) }

  /// Cosine of radians, exact to 2 ulp for arguments of any size.
  public func cos() -> Tensor { unary(Int(ITO_UNARY_COS), saving: .input) }

  /// Hyperbolic tangent; 2 ulp.
  public func tanh() -> Tensor { unary(Int(ITO_UNARY_TANH), saving: .input) }

  /// Error function `2/√π ∫₀ˣ e^(−t²) dt`; 2 ulp.
  public func erf() -> Tensor { unary(Int(ITO_UNARY_ERF), saving: .input) }

  /// Logistic function `1 / (1 + e^(−x))`; 3 ulp down to x = −87, zero below.
  public func sigmoid() -> Tensor { unary(Int(ITO_UNARY_SIGMOID), saving: .input) }

  /// Every element limited to `range`; the gradient is zero outside it.
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    unary(Int(ITO_UNARY_CLAMP), saving: .input, range.lowerBound, range.upperBound)
  }
}
