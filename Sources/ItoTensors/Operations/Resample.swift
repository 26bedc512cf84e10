import ItoCKernels

/// A sparse matrix that makes one image axis out of another; see `ito_taps`.
struct Taps: Sendable {
  private var starts: [Int32] = [0]
  private var indices: [Int32] = []
  private var weights: [Float] = []

  /// Size of the axis that is made.
  var count: Int { starts.count - 1 }

  /// - Parameter taps: the input elements and weights of each result element.
  init(count: Int, _ taps: (Int) -> [(index: Int, weight: Float)]) {
    for i in 0..<count {
      for (index, weight) in taps(i) {
        indices.append(Int32(index))
        weights.append(weight)
      }
      starts.append(Int32(indices.count))
    }
  }

  /// The transposed matrix, of an axis of `size` elements.
  func transposed(size: Int) -> Taps {
    var columns = [[(index: Int, weight: Float)]](repeating: [], count: size)
    for i in 0..<count {
      for k in Int(starts[i])..<Int(starts[i + 1]) {
        columns[Int(indices[k])].append((i, weights[k]))
      }
    }
    return Taps(count: size) { columns[$0] }
  }

  func withPointers<R>(_ body: (ito_taps) -> R) -> R {
    starts.withUnsafeBufferPointer { starts in
      indices.withUnsafeBufferPointer { indices in
        weights.withUnsafeBufferPointer { weights in
          body(
            ito_taps(
              starts: starts.baseAddress, indices: indices.baseAddress, weights: weights.baseAddress
            )
          )
        }
      }
    }
  }
}

extension Tensor {
  /// Height and width of `[batch, height, width, channels]` multiplied by `rows` and `columns`.
  func resampled(rows: Taps, columns: Taps) -> Tensor {
    let native: DType = dtype == .bfloat16 ? .bfloat16 : .float32
    let x = detached().cast(to: native)
    let target: Shape = [shape[0], rows.count, columns.count, shape[3]]
    let result = reading(x) { input in
      Tensor(building: target, dtype: native) { out in
        rows.withPointers { rowTaps in
          columns.withPointers { columnTaps in
            ito_resample(
              native.rawValue, input, out, Int64(shape[0]), Int64(shape[1]), Int64(shape[2]),
              Int64(shape[3]), Int64(target[1]), Int64(target[2]), rowTaps, columnTaps)
          }
        }
      }
    }
    return result.cast(to: dtype).recorded(from: [self]) {
      [height = shape[1], width = shape[2]] g in
      [g.resampled(rows: rows.transposed(size: height), columns: columns.transposed(size: width))]
    }
  }

  func requireImage(_ operation: String) {
    require(
      shape.rank == 4, "\(operation): shape \(shape) is not [batch, height, width, channels]")
  }
}
