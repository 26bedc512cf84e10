import ItoCKernels

/// Strides in elements of a contiguous tensor of shape `own` seen as `out`, 0 on broadcast axes.
private func strides(of own: Shape, in out: Shape) -> [Int64] {
  var result = [Int64](repeating: 0, count: out.rank)
  var stride = 1
  let offset = out.rank - own.rank
  for axis in (0..<own.rank).reversed() {
    result[offset + axis] = own.dims[axis] == 1 ? 0 : Int64(stride)
    stride *= own.dims[axis]
  }
  return result
}

extension Tensor {
  /// The element-wise operation `op` under NumPy's broadcasting rules, without gradient.
  func binary(_ op: Int, _ other: Tensor, dtype resultType: DType? = nil) -> Tensor {
    guard let out = Shape.broadcast(shape, other.shape) else {
      trap("shapes \(shape) and \(other.shape) do not broadcast together")
    }
    require(out.rank <= 8, "element-wise operations take at most 8 axes, not \(out.rank)")
    let promoted = dtype.promoted(with: other.dtype)
    let compute: DType =
      switch promoted {
      case .float32, .bfloat16, .int32, .int64: promoted
      case .float16: .float32
      case .int8, .uint8, .bool: .int32
      }
    let a = cast(to: compute), b = other.cast(to: compute)
    let result = reading(a, b) { pa, pb in
      Tensor(building: out, dtype: resultType ?? compute) { po in
        ito_binary(
          Int32(op), compute.rawValue, Int32(out.rank), out.dims.map(Int64.init),
          strides(of: shape, in: out), strides(of: other.shape, in: out), pa, pb, po)
      }
    }
    return resultType == nil ? result.cast(to: promoted) : result
  }

  /// Sums over the axes along which `target` was broadcast to this shape; the adjoint of broadcasting.
  package func reduced(to target: Shape, dtype resultType: DType? = nil) -> Tensor {
    let type = resultType ?? dtype
    if target == shape { return cast(to: type) }
    let offset = shape.rank - target.rank
    let axes = (0..<shape.rank).filter {
      $0 < offset || (target.dims[$0 - offset] == 1 && shape.dims[$0] != 1)
    }
    let sum = reduce(Int(ITO_SUM), axes: axes)
    return Tensor(storage: sum.storage, shape: target, dtype: .float32).cast(to: type)
  }

  /// Sum, element by element, with broadcasting.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.binary(Int(ITO_ADD), b).recorded(from: [a, b]) {
      [sa = a.shape, sb = b.shape, ta = a.dtype, tb = b.dtype] g in
      [g.reduced(to: sa, dtype: ta), g.reduced(to: sb, dtype: tb)]
    }
  }

  /// Difference, element by element, with broadcasting.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    a.binary(Int(ITO_SUB), b).recorded(from: [a, b]) {
      [sa = a.shape, sb = b.shape, ta = a.dtype, tb = b.dtype] g in
      [g.reduced(to: sa, dtype: ta), (-1 * g).reduced(to: sb, dtype: tb)]
    }
  }

  /// Product, element by element, with broadcasting.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    a.binary(Int(ITO_MUL), b).recorded(from: [a, b]) {
      [a = a.detached(), b = b.detached(), na = a.isTracked, nb = b.isTracked] g in
      [
        na ? g.binary(Int(ITO_MUL), b).reduced(to: a.shape, dtype: a.dtype) : nil,
        nb ? g.binary(Int(ITO_MUL), a).reduced(to: b.shape, dtype: b.dtype) : nil,
      ]
    }
  }

  /// Quotient, element by element, with broadcasting. Integers divide toward zero; by zero gives 0.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let quotient = a.binary(Int(ITO_DIV), b)
    return quotient.recorded(from: [a, b]) {
      [q = quotient, b = b.detached(), sa = a.shape, ta = a.dtype] g in
      let da = g.binary(Int(ITO_DIV), b)
      return [
        da.reduced(to: sa, dtype: ta),
        (-1 * da.binary(Int(ITO_MUL), q)).reduced(to: b.shape, dtype: b.dtype),
      ]
    }
  }

  /// `scale · self + shift` with float32 scalars, without gradient.
  private func affine(_ scale: Double, _ shift: Double) -> Tensor {
    let native: DType = dtype == .bfloat16 ? .bfloat16 : .float32
    let x = cast(to: native).detached()
    return reading(x) { input in
      Tensor(building: shape, dtype: native) { out in
        ito_affine(
          native.rawValue, input, out, Int64(shape.count), Float(scale), Float(shift))
      }
    }.cast(to: dtype)
  }

  /// Every element times `scale`.
  public static func * (scale: Double, x: Tensor) -> Tensor {
    x.affine(scale, 0).recorded(from: [x]) { g in [scale * g] }
  }
  /// Every element times `scale`.
  public static func * (x: Tensor, scale: Double) -> Tensor { scale * x }
  /// Every element divided by `divisor`.
  public static func / (x: Tensor, divisor: Double) -> Tensor {
    (1 / divisor) * x
  }
  /// `term` added to every element.
  public static func + (x: Tensor, term: Double) -> Tensor {
    x.affine(1, term).recorded(from: [x]) { g in [g] }
  }
  /// `term` subtracted from every element.
  public static func - (x: Tensor, term: Double) -> Tensor { x + (-term) }
  /// `term` minus every element.
  public static func - (term: Double, x: Tensor) -> Tensor { -1 * x + term }
  /// Every element negated.
  public static prefix func - (x: Tensor) -> Tensor { -1 * x }

  /// The larger of each pair; the gradient goes to the larger, to the first on a tie.
  public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { extremum(Int(ITO_MAX), a, b) }
  /// The smaller of each pair; the gradient goes to the smaller, to the first on a tie.
  public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { extremum(Int(ITO_MIN), a, b) }

  private static func extremum(_ op: Int, _ a: Tensor, _ b: Tensor) -> Tensor {
    let result = a.binary(op, b)
    return result.recorded(from: [a, b]) { [a = a.detached(), b = b.detached()] g in
      let toSecond = (op == Int(ITO_MAX) ? a.lessThan(b) : b.lessThan(a)).cast(to: g.dtype)
      return [
        (g * (1 - toSecond)).reduced(to: a.shape, dtype: a.dtype),
        (g * toSecond).reduced(to: b.shape, dtype: b.dtype),
      ]
    }
  }

  /// `self` to the power `exponent`.
  public func power(_ exponent: Double) -> Tensor {
    let result = binary(Int(ITO_POW), Tensor([Float(exponent)], shape: [])).cast(to: dtype)
    return result.recorded(from: [self]) { [x = self.detached()] g in
      [g * (exponent * x.power(exponent - 1))]
    }
  }

  /// Whether elements are equal, as bools.
  public func equal(to other: Tensor) -> Tensor { binary(Int(ITO_EQUAL), other, dtype: .bool) }
  /// Whether elements of `self` are less, as bools.
  public func lessThan(_ other: Tensor) -> Tensor { binary(Int(ITO_LESS), other, dtype: .bool) }
  /// Whether elements of `self` are greater, as bools.
  public func greaterThan(_ other: Tensor) -> Tensor {
    binary(Int(ITO_GREATER), other, dtype: .bool)
  }

  /// Elements of `self` where `condition` holds, of `other` elsewhere; all of one shape.
  public func selected(where condition: Tensor, otherwise other: Tensor) -> Tensor {
    require(
      condition.dtype == .bool && condition.shape == shape && other.shape == shape
        && other.dtype == dtype,
      "select: condition \(condition.dtype) \(condition.shape), values \(dtype) \(shape) and \(other.dtype) \(other.shape)"
    )
    let result = reading(condition, self, other) { c, a, b in
      Tensor(building: shape, dtype: dtype) { out in
        ito_select(c.of(UInt8.self), a, b, out, Int64(shape.count), Int32(dtype.byteCount))
      }
    }
    return result.recorded(from: [self, other]) { [c = condition.detached()] g in
      let zeros = Tensor(zeros: g.shape, dtype: g.dtype)
      return [g.selected(where: c, otherwise: zeros), zeros.selected(where: c, otherwise: g)]
    }
  }
}
