import ItoCKernels

extension Tensor {
  /// `exp(x) / Σ exp(x)` along `axis`, in the element type of `self`, sums in float32.
  ///
  /// - Cost: along the last axis reads a row three times in cache; another axis is transposed twice.
  public func softmax(axis: Int = -1) -> Tensor { normalisedExponentials(axis, isLogarithm: false) }

  /// `x − log Σ exp(x)` along `axis`: the logarithm of `softmax`, exact where that is tiny.
  public func logSoftmax(axis: Int = -1) -> Tensor {
    normalisedExponentials(axis, isLogarithm: true)
  }

  private func normalisedExponentials(_ axis: Int, isLogarithm: Bool) -> Tensor {
    require(shape.rank >= 1, "softmax of a scalar")
    let axis = shape.axis(axis)
    guard axis == shape.rank - 1 else {
      let last = shape.rank - 1
      return transposed(axis, last).normalisedExponentials(last, isLogarithm: isLogarithm)
        .transposed(axis, last)
    }
    let x = inRowType, n = shape[-1], flag = Int32(isLogarithm ? 1 : 0)
    let rows = shape.count / Swift.max(1, n)
    let result = Tensor(building: shape, dtype: x.dtype) { out in
      reading(x) { ito_softmax($0, x.dtype.rawValue, Int64(rows), Int64(n), flag, out) }
    }
    return result.recorded(from: [x]) { [y = result.detached()] g in
      [
        Tensor(building: y.shape, dtype: y.dtype) { out in
          reading(y, g) {
            ito_softmax_gradient($0, $1, y.dtype.rawValue, Int64(rows), Int64(n), flag, out)
          }
        }
      ]
    }.cast(to: dtype)
  }

  /// The cross entropy of each row of logits `[…, classes]` against its label, with smoothing `s`:
  /// `−Σ_c q_c log softmax(x)_c`, `q = (1 − s)·onehot + s / classes`.
  ///
  /// - Parameter labels: one class number a row, in `0 ..< classes`.
  /// - Returns: float32, the shape of `self` without its last axis.
  /// - Cost: reads the logits in cache three times; backward once, without a target of their size.
  /// - Source: smoothing after Szegedy et al. 2016, arXiv:1512.00567, §7.
  public func crossEntropy(_ labels: [Int32], smoothing: Double = 0) -> Tensor {
    let classes = shape.rank >= 1 ? shape[-1] : 0
    let rows = shape.count / Swift.max(1, classes)
    require(
      classes > 0 && labels.count == rows && (0...1).contains(smoothing),
      "crossEntropy: \(labels.count) labels, smoothing \(smoothing), logits \(shape)")
    if let bad = labels.first(where: { $0 < 0 || $0 >= classes }) {
      trap("crossEntropy: label \(bad) of \(classes) classes")
    }
    let x = inRowType, s = Float(smoothing)
    let logSums = Tensor(uninitialized: [rows])
    let result = Tensor(building: Shape(Array(shape.dims.dropLast())), dtype: .float32) { out in
      reading(x, logSums) { px, ps in
        ito_cross_entropy(
          px, x.dtype.rawValue, labels, Int64(rows), Int64(classes), s, out.of(Float.self),
          UnsafeMutableRawPointer(mutating: ps).of(Float.self))
      }
    }
    return result.recorded(from: [x]) { [x = x.detached()] g in
      [
        Tensor(building: x.shape, dtype: x.dtype) { out in
          reading(x, logSums, g) { px, ps, pg in
            ito_cross_entropy_gradient(
              px, x.dtype.rawValue, labels, Int64(rows), Int64(classes), s, ps.of(Float.self),
              pg.of(Float.self), out)
          }
        }
      ]
    }
  }
}
