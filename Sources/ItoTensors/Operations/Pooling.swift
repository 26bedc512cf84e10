import ItoCKernels

extension Tensor {
  private func pooledSize(
    _ operation: String, _ window: (height: Int, width: Int), _ stride: (height: Int, width: Int)
  ) -> (height: Int, width: Int) {
    requireImage(operation)
    require(
      window.height > 0 && window.width > 0 && stride.height > 0 && stride.width > 0
        && window.height <= shape[1] && window.width <= shape[2] && dtype.isFloatingPoint,
      "\(operation): \(dtype) \(shape) with windows of \(window) every \(stride)")
    return (
      (shape[1] - window.height) / stride.height + 1, (shape[2] - window.width) / stride.width + 1
    )
  }

  /// Mean over windows of `[batch, height, width, channels]`; what does not fill a window is left out.
  ///
  /// - Parameters:
  ///   - window: rows and columns.
  ///   - stride: step between windows, the window's size when nil.
  public func averagePooled(
    window: (height: Int, width: Int), stride: (height: Int, width: Int)? = nil
  ) -> Tensor {
    let step = stride ?? window
    let size = pooledSize("average pooling", window, step)
    func taps(_ count: Int, _ window: Int, _ step: Int) -> Taps {
      Taps(count: count) { i in (0..<window).map { (i * step + $0, 1 / Float(window)) } }
    }
    return resampled(
      rows: taps(size.height, window.height, step.height),
      columns: taps(size.width, window.width, step.width))
  }

  /// Mean over square windows.
  public func averagePooled(window: Int, stride: Int? = nil) -> Tensor {
    averagePooled(window: (window, window), stride: stride.map { ($0, $0) })
  }

  /// Largest element of each window of `[batch, height, width, channels]`, per channel; what does
  /// not fill a window is left out. NaN in a window gives NaN.
  ///
  /// The gradient goes to the largest element, to the first on a tie.
  ///
  /// - Parameters:
  ///   - window: rows and columns.
  ///   - stride: step between windows, the window's size when nil.
  public func maxPooled(
    window: (height: Int, width: Int), stride: (height: Int, width: Int)? = nil
  ) -> Tensor {
    let step = stride ?? window
    let size = pooledSize("max pooling", window, step)
    let pooling = ito_pooling(
      batch: Int64(shape[0]), height: Int64(shape[1]), width: Int64(shape[2]),
      channels: Int64(shape[3]), window_height: Int64(window.height),
      window_width: Int64(window.width), stride_height: Int64(step.height),
      stride_width: Int64(step.width), out_height: Int64(size.height), out_width: Int64(size.width))
    let native: DType = dtype == .bfloat16 ? .bfloat16 : .float32
    let x = detached().cast(to: native)
    let result = reading(x) { input in
      Tensor(building: [shape[0], size.height, size.width, shape[3]], dtype: native) { out in
        ito_max_pool(native.rawValue, input, out, pooling)
      }
    }
    return result.cast(to: dtype).recorded(from: [self]) { [dtype = self.dtype] g in
      let gradient = reading(x, g.cast(to: native)) { input, gradient in
        Tensor(building: x.shape) { out in
          ito_max_pool_gradient(native.rawValue, input, gradient, out.of(Float.self), pooling)
        }
      }
      return [gradient.cast(to: dtype)]
    }
  }

  /// Largest element of each square window.
  public func maxPooled(window: Int, stride: Int? = nil) -> Tensor {
    maxPooled(window: (window, window), stride: stride.map { ($0, $0) })
  }
}
