import ItoCKernels

extension Tensor {
  /// Writes this parameter, its float32 master where it is not float32, and what goes with them, in one
  /// pass. `body` gets the float32 values, the place of the rounded copy (nil for a float32 parameter)
  /// and the copy's type.
  private mutating func updateExact(
    master: inout Tensor?,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutableRawPointer?, Int32) -> Void
  ) {
    let type = dtype.rawValue
    if dtype == .float32 {
      updateBytes { body($0.of(Float.self), nil, type) }
      return
    }
    require(dtype == .bfloat16 || dtype == .float16, "a parameter of \(dtype) cannot be optimized")
    guard var exact = master.take(), exact.dtype == .float32, exact.shape == shape else {
      trap("a parameter of \(dtype) \(shape) without a float32 master")
    }
    exact.updateBytes { exact in
      updateBytes { body(exact.of(Float.self), $0, type) }
    }
    master = exact
  }

  /// Numbers of an AdamW step.
  package struct AdamWStep {
    package var rate: Double
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    package var decay: Double
    /// 1 − β₁ᵗ and 1 − β₂ᵗ, t counted from 1.
    package var bias1: Double
    package var bias2: Double
    package var gradientScale: Double

    package init(
      rate: Double, beta1: Double, beta2: Double, epsilon: Double, decay: Double, bias1: Double,
      bias2: Double, gradientScale: Double
    ) {
      self.rate = rate
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.decay = decay
      self.bias1 = bias1
      self.bias2 = bias2
      self.gradientScale = gradientScale
    }
  }

  /// One AdamW step of this parameter and its moments, in place; see `ito_adamw_step`.
  package mutating func adamW(
    _ step: AdamWStep, gradient: Tensor, first: inout Tensor, second: inout Tensor,
    master: inout Tensor?
  ) {
    requireFits(gradient, first, second)
    var native = ito_adamw(
      rate: Float(step.rate), beta1: Float(step.beta1), beta2: Float(step.beta2),
      epsilon: Float(step.epsilon), decay: Float(step.decay),
      correction1: Float(1 / step.bias1), correction2: Float(1 / step.bias2),
      gradient_scale: Float(step.gradientScale))
    let count = Int64(shape.count)
    reading(gradient) { g in
      first.updateBytes { m in
        second.updateBytes { v in
          updateExact(master: &master) { w, copy, type in
            ito_adamw_step(
              &native, g, gradient.dtype.rawValue, w, m.of(Float.self), v.of(Float.self), copy,
              type,
              count)
          }
        }
      }
    }
  }

  /// Numbers of a step of gradient descent.
  package struct SGDStep {
    package var rate: Double
    package var momentum: Double
    package var decay: Double
    package var gradientScale: Double
    package var isNesterov: Bool

    package init(
      rate: Double, momentum: Double, decay: Double, gradientScale: Double, isNesterov: Bool
    ) {
      self.rate = rate
      self.momentum = momentum
      self.decay = decay
      self.gradientScale = gradientScale
      self.isNesterov = isNesterov
    }
  }

  /// One step of gradient descent, in place; see `ito_sgd_step`. The momentum is made in the first step
  /// that has one.
  package mutating func descend(
    _ step: SGDStep, gradient: Tensor, momentum: inout Tensor?, master: inout Tensor?
  ) {
    requireFits(gradient, momentum, nil)
    let isFirst = momentum == nil
    var native = ito_sgd(
      rate: Float(step.rate), momentum: Float(step.momentum), decay: Float(step.decay),
      gradient_scale: Float(step.gradientScale), nesterov: step.isNesterov ? 1 : 0,
      first: isFirst ? 1 : 0)
    let count = Int64(shape.count)
    guard step.momentum != 0 else {
      reading(gradient) { g in
        updateExact(master: &master) { w, copy, type in
          ito_sgd_step(&native, g, gradient.dtype.rawValue, w, nil, copy, type, count)
        }
      }
      return
    }
    var moved = momentum.take() ?? Tensor(uninitialized: shape)
    reading(gradient) { g in
      moved.updateBytes { m in
        updateExact(master: &master) { w, copy, type in
          ito_sgd_step(
            &native, g, gradient.dtype.rawValue, w, m.of(Float.self), copy, type, count)
        }
      }
    }
    momentum = moved
  }

  private func requireFits(_ gradient: Tensor, _ first: Tensor?, _ second: Tensor?) {
    let isNative = gradient.dtype == .float32 || gradient.dtype == .bfloat16
    require(
      isNative && gradient.shape == shape,
      "a gradient of \(gradient.dtype) \(gradient.shape) for a parameter of \(shape)")
    for moment in [first, second].compactMap({ $0 }) {
      require(
        moment.dtype == .float32 && moment.shape == shape,
        "a moment of \(moment.dtype) \(moment.shape) for a parameter of \(shape)")
    }
  }

  /// Moves these float32 values toward `value`, in place: `self += (1 − decay)(value − self)`.
  package mutating func follow(_ value: Tensor, decay: Double) {
    require(
      dtype == .float32 && value.dtype == .float32 && shape == value.shape,
      "an average of \(dtype) \(shape) cannot follow \(value.dtype) \(value.shape)")
    let count = Int64(shape.count)
    reading(value) { v in
      updateBytes { ito_ema_update($0.of(Float.self), v.of(Float.self), Float(decay), count) }
    }
  }

  /// Adds `other`, in place where the buffer is not shared and holds float32.
  package mutating func accumulate(_ other: Tensor) {
    let isNative = other.dtype == .float32 || other.dtype == .bfloat16
    guard dtype == .float32, isNative, shape == other.shape else {
      self = self + other
      return
    }
    let count = Int64(shape.count)
    reading(other) { o in
      updateBytes { ito_accumulate($0.of(Float.self), o, other.dtype.rawValue, count) }
    }
  }

  /// The sum of the squares of all elements, in double precision.
  package var sumOfSquares: Double {
    let x = dtype == .bfloat16 ? self : cast(to: .float32)
    return reading(x) { ito_sum_of_squares($0, x.dtype.rawValue, Int64(shape.count)) }
  }
}
