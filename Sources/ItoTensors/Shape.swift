/// The sizes of a tensor's axes, outermost first. `[]` is a scalar.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// Axis sizes.
  public var dims: [Int]

  /// A shape with the given axis sizes, each at least zero.
  public init(_ dims: [Int]) {
    for d in dims { require(d >= 0, "shape \(dims) has a negative axis") }
    self.dims = dims
  }

  /// A shape from a literal such as `[2, 3]`.
  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// Number of elements.
  public var count: Int { dims.reduce(1, *) }

  /// Number of axes.
  public var rank: Int { dims.count }

  /// Size of axis `i`; negative `i` counts from the end.
  public subscript(i: Int) -> Int {
    get { dims[axis(i)] }
    set { dims[axis(i)] = newValue }
  }

  /// `i` made non-negative; traps when the shape has no such axis.
  package func axis(_ i: Int) -> Int {
    let a = i < 0 ? i + dims.count : i
    require(a >= 0 && a < dims.count, "shape \(dims) has no axis \(i)")
    return a
  }

  /// `[2, 3]`
  public var description: String { "\(dims)" }

  /// The shape both sides broadcast to under NumPy's rules, or nil when they do not fit.
  package static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    let rank = max(a.rank, b.rank)
    var out = [Int](repeating: 1, count: rank)
    for i in 0..<rank {
      let x = i < rank - a.rank ? 1 : a.dims[i - (rank - a.rank)]
      let y = i < rank - b.rank ? 1 : b.dims[i - (rank - b.rank)]
      if x != y && x != 1 && y != 1 { return nil }
      out[i] = x == 1 ? y : x
    }
    return Shape(out)
  }
}
