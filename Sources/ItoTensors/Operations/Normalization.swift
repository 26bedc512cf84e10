import ItoCKernels

extension Tensor {
  /// This tensor in an element type that kernels over rows know.
  var inRowType: Tensor { dtype == .bfloat16 ? self : cast(to: .float32) }

  /// Normalisation of each row over the last axis: `(x − mean) / √(variance + ε) · weight + bias`.
  ///
  /// - Parameters:
  ///   - weight: `[features]`, or nil for 1.
  ///   - bias: `[features]`, or nil for 0.
  /// - Source: Ba et al. 2016, *Layer Normalization*, arXiv:1607.06450.
  public func layerNorm(
    weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
  ) -> Tensor {
    rowNorm(weight: weight, bias: bias, epsilon: epsilon, isCentred: true, samples: nil)
  }

  /// Division of each row by its root mean square: `x / √(mean(x²) + ε) · weight`.
  ///
  /// - Source: Zhang & Sennrich 2019, *Root Mean Square Layer Normalization*, arXiv:1910.07467.
  public func rmsNorm(weight: Tensor? = nil, epsilon: Double = 1e-6) -> Tensor {
    rowNorm(weight: weight, bias: nil, epsilon: epsilon, isCentred: false, samples: nil)
  }

  /// Layer norm without affine, then `· (1 + scale) + shift` of each sample: adaptive layer norm.
  ///
  /// - Parameters:
  ///   - scale: `[batch, features]` for a self of `[batch, …, features]`.
  ///   - shift: `[batch, features]`.
  /// - Source: Peebles & Xie 2023, arXiv:2212.09748, §3.2.
  public func layerNormModulated(scale: Tensor, shift: Tensor, epsilon: Double = 1e-6) -> Tensor {
    require(
      shape.rank >= 2 && scale.shape == [shape[0], shape[-1]] && shift.shape == scale.shape,
      "layerNormModulated: \(shape) by scale \(scale.shape), shift \(shift.shape)")
    return rowNorm(
      weight: scale.cast(to: .float32) + 1, bias: shift, epsilon: epsilon, isCentred: true,
      samples: shape[0])
  }

  /// Division of each row by its root mean square, then `· (1 + scale) + shift` of each sample.
  ///
  /// - Parameters:
  ///   - scale: `[batch, features]` for a self of `[batch, …, features]`.
  ///   - shift: `[batch, features]`, or nil for 0.
  public func rmsNormModulated(
    scale: Tensor, shift: Tensor? = nil, epsilon: Double = 1e-6
  ) -> Tensor {
    require(
      shape.rank >= 2 && scale.shape == [shape[0], shape[-1]]
        && (shift == nil || shift?.shape == scale.shape),
      "rmsNormModulated: \(shape) by scale \(scale.shape), "
        + "shift \(shift?.shape.description ?? "none")")
    return rowNorm(
      weight: scale.cast(to: .float32) + 1, bias: shift, epsilon: epsilon, isCentred: false,
      samples: shape[0])
  }

  /// - Parameter samples: how many samples have a weight and bias of their own; nil when all share one.
  private func rowNorm(
    weight: Tensor?, bias: Tensor?, epsilon: Double, isCentred: Bool, samples: Int?
  ) -> Tensor {
    let features = shape.rank >= 1 ? shape[-1] : 0
    let own: Shape = samples.map { [$0, features] } ?? [features]
    require(
      features > 0 && (weight == nil || weight?.shape == own)
        && (bias == nil || bias?.shape == own),
      "norm over the last axis of \(shape): weight \(weight?.shape.description ?? "none"), "
        + "bias \(bias?.shape.description ?? "none")")
    let x = inRowType
    let (count, each) = (samples ?? 1, Int32(samples == nil ? 0 : 1))
    let rows = shape.count / features / Swift.max(1, count)
    let w = weight?.cast(to: .float32), b = bias?.cast(to: .float32)
    let mean = isCentred ? Tensor(uninitialized: [count * rows]) : nil
    let rstd = Tensor(uninitialized: [count * rows])
    let result = Tensor(building: shape, dtype: x.dtype) { out in
      reading(x, rstd) { px, pr in
        readingOptional(mean) { pm in
          readingOptional(w) { pw in
            readingOptional(b) { pb in
              ito_row_norm(
                px, x.dtype.rawValue, pw?.of(Float.self), pb?.of(Float.self), each, Int64(count),
                Int64(rows), Int64(features), Float(epsilon), isCentred ? 1 : 0, out,
                UnsafeMutableRawPointer(mutating: pm)?.of(Float.self),
                UnsafeMutableRawPointer(mutating: pr).of(Float.self))
            }
          }
        }
      }
    }
    let inputs = [x] + [w, b].compactMap { $0 }
    return result.recorded(from: inputs) {
      [x = x.detached(), w = w?.detached(), hasBias = b != nil] g in
      let wantsWeights = w != nil || hasBias
      let dw = wantsWeights ? Tensor(uninitialized: own) : nil
      let db = wantsWeights ? Tensor(uninitialized: own) : nil
      let dx = Tensor(building: x.shape, dtype: x.dtype) { out in
        reading(x, g, rstd) { px, pg, pr in
          readingOptional(mean) { pm in
            readingOptional(w) { pw in
              readingOptional(dw) { dw in
                readingOptional(db) { db in
                  ito_row_norm_gradient(
                    px, pg, x.dtype.rawValue, pw?.of(Float.self), each, Int64(count), Int64(rows),
                    Int64(features), pm?.of(Float.self), pr.of(Float.self), out,
                    UnsafeMutableRawPointer(mutating: dw)?.of(Float.self),
                    UnsafeMutableRawPointer(mutating: db)?.of(Float.self))
                }
              }
            }
          }
        }
      }
      return [dx] + (w == nil ? [] : [dw]) + (hasBias ? [db] : [])
    }.cast(to: dtype)
  }
}

/// `residual + gate · x`, the gate one vector a sample.
///
/// - Parameters:
///   - residual: `[batch, …, features]`.
///   - x: the shape and element type of `residual`.
///   - gate: `[batch, features]`.
/// - Source: Peebles & Xie 2023, arXiv:2212.09748, §3.2.
public func addGated(_ residual: Tensor, _ x: Tensor, gate: Tensor) -> Tensor {
  require(
    residual.shape.rank >= 2 && residual.shape == x.shape
      && gate.shape == [x.shape[0], x.shape[-1]],
    "addGated: \(residual.shape), \(x.shape) and gate \(gate.shape)")
  let type = residual.dtype.promoted(with: x.dtype)
  let native: DType = type == .bfloat16 ? .bfloat16 : .float32
  let r = residual.cast(to: native), y = x.cast(to: native), gates = gate.cast(to: .float32)
  let (samples, features) = (x.shape[0], x.shape[-1])
  let rows = x.shape.count / max(1, samples * features)
  let result = Tensor(building: x.shape, dtype: native) { out in
    reading(r, y, gates) { pr, px, pg in
      ito_add_gated(
        pr, px, pg.of(Float.self), native.rawValue, Int64(samples), Int64(rows), Int64(features),
        out)
    }
  }
  return result.recorded(from: [r, y, gates]) { [y = y.detached(), gates = gates.detached()] g in
    let dgate = Tensor(uninitialized: gates.shape)
    let dx = Tensor(building: y.shape, dtype: native) { out in
      reading(y, gates, g, dgate) { px, pg, pu, pd in
        ito_add_gated_gradient(
          px, pg.of(Float.self), pu, native.rawValue, Int64(samples), Int64(rows), Int64(features),
          out, UnsafeMutableRawPointer(mutating: pd).of(Float.self))
      }
    }
    return [g, dx, dgate]
  }.cast(to: type)
}
