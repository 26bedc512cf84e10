import ItoCKernels

extension Tensor {
  /// Reduces over `axes` (ascending, non-negative), keeping them with size 1. float32, no gradient.
  func reduce(_ op: Int, axes: [Int]) -> Tensor {
    var x = cast(to: dtype == .bfloat16 ? .bfloat16 : .float32)
    var index = axes.count - 1
    // Neighbouring axes are reduced together, innermost group first.
    while index >= 0 {
      var first = index
      while first > 0, axes[first - 1] == axes[first] - 1 { first -= 1 }
      let dims = x.shape.dims
      let (from, to) = (axes[first], axes[index])
      let outer = dims[..<from].reduce(1, *), inner = dims[(to + 1)...].reduce(1, *)
      let length = dims[from...to].reduce(1, *)
      var kept = x.shape
      for axis in from...to { kept.dims[axis] = 1 }
      x = reading(x) { input in
        Tensor(building: kept) { out in
          ito_reduce(
            Int32(op), x.dtype.rawValue, input, out.of(Float.self), Int64(outer), Int64(length),
            Int64(inner))
        }
      }
      index = first - 1
    }
    return x.cast(to: .float32)
  }

  private func normalised(_ axes: [Int]?) -> [Int] {
    guard let axes else { return Array(0..<shape.rank) }
    return Set(axes.map { shape.axis($0) }).sorted()
  }

  private func keptShape(_ axes: [Int]) -> Shape {
    Shape(shape.dims.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
  }

  private func droppedShape(_ axes: [Int]) -> Shape {
    Shape(shape.dims.enumerated().filter { !axes.contains($0.offset) }.map(\.element))
  }

  func viewed(_ shape: Shape) -> Tensor {
    Tensor(storage: storage, shape: shape, dtype: dtype)
  }

  /// Sum over `axes` (all when nil), computed in float32 in a fixed order.
  ///
  /// - Parameter keepingAxes: keep reduced axes with size 1.
  /// - Returns: a tensor of the input's element type.
  public func sum(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let over = normalised(axes)
    let kept = keptShape(over)
    let result = reduce(Int(ITO_SUM), axes: over)
      .viewed(keepingAxes ? kept : droppedShape(over)).cast(to: dtype)
    return result.recorded(from: [self]) { [shape = self.shape] g in
      [g.viewed(kept).repeated(to: shape)]
    }
  }

  /// Mean over `axes` (all when nil), computed in float32 in a fixed order.
  public func mean(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let over = normalised(axes)
    let kept = keptShape(over)
    let count = Double(over.map { shape.dims[$0] }.reduce(1, *))
    let result = (reduce(Int(ITO_SUM), axes: over) / count)
      .viewed(keepingAxes ? kept : droppedShape(over)).cast(to: dtype)
    return result.recorded(from: [self]) { [shape = self.shape] g in
      [(g / count).viewed(kept).repeated(to: shape)]
    }
  }

  /// Population variance over `axes` (all when nil).
  public func variance(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let centred = self - mean(axes: axes, keepingAxes: true)
    return (centred * centred).mean(axes: axes, keepingAxes: keepingAxes)
  }

  /// Largest element over `axes` (all when nil); ties share the gradient equally.
  public func max(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extremum(Int(ITO_MAXIMUM), axes, keepingAxes)
  }

  /// Smallest element over `axes` (all when nil); ties share the gradient equally.
  public func min(axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    extremum(Int(ITO_MINIMUM), axes, keepingAxes)
  }

  private func extremum(_ op: Int, _ axes: [Int]?, _ keepingAxes: Bool) -> Tensor {
    let over = normalised(axes)
    let kept = keptShape(over)
    let best = reduce(op, axes: over).cast(to: dtype)
    return best.viewed(keepingAxes ? kept : droppedShape(over)).recorded(from: [self]) {
      [x = self.detached()] g in
      let hits = x.equal(to: best).cast(to: .float32)
      let share = hits / hits.sum(axes: over, keepingAxes: true)
      return [(share * g.viewed(kept)).cast(to: x.dtype)]
    }
  }

  /// This tensor broadcast to `target` and written out, without gradient.
  package func repeated(to target: Shape) -> Tensor { detached().broadcast(to: target) }
}
