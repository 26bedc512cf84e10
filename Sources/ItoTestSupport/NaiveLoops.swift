public import ItoTensors
import Synchronization

/// The elements of a tensor by multi-index, for reference loops in tests.
public struct Elements: Sendable {
  private let values: [Float]
  private let shape: Shape

  /// A copy of the elements of `tensor`, as floats.
  public init(_ tensor: Tensor) {
    values = tensor.scalars
    shape = tensor.shape
  }

  /// The element at `index`, one number per axis.
  public subscript(index: [Int]) -> Float {
    values[zip(index, shape.dims).reduce(0) { $0 * $1.1 + $1.0 }]
  }

  /// The element at `index`.
  public subscript(index: Int...) -> Float { self[index] }
}

/// The tensor of shape `shape` and type `dtype` whose element at each multi-index is
/// `element(index)`.
public func naive(
  _ shape: Shape, dtype: DType = .float32, _ element: ([Int]) -> Float
) -> Tensor {
  var index = [Int](repeating: 0, count: shape.rank)
  let values = (0..<shape.count).map { _ -> Float in
    defer {
      var axis = shape.rank - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < shape.dims[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
    return element(index)
  }
  return Tensor(values, shape: shape).cast(to: dtype)
}

/// Values that every element type holds exactly: small integers, zeros and ones for bools.
public func exactTensor(_ shape: Shape, dtype: DType, seed: UInt64) -> Tensor {
  let range =
    switch dtype {
    case .bool: 0..<2
    case .uint8: 0..<128
    default: -100..<101
    }
  return randomIntegers(shape, in: range, seed: seed, dtype: .int32).cast(to: dtype)
}

private let instructionSetChange = Mutex<Void>(())

/// Runs `body` at each instruction-set level this processor has, worst first, one such caller at a
/// time, and puts the level back. At the level of bfloat16 pairs it runs with and without them.
public func atEveryInstructionSet(_ body: (Runtime.InstructionSet) -> Void) {
  instructionSetChange.withLock { _ in
    let before = Runtime.instructionSet, usedPairs = Runtime.usesBF16Pairs
    for level in Runtime.InstructionSet.allCases
    where level.rawValue <= Runtime.availableInstructionSet.rawValue {
      Runtime.instructionSet = level
      for pairs in level == .avx512BF16 ? [false, true] : [usedPairs] {
        Runtime.usesBF16Pairs = pairs
        body(level)
      }
    }
    Runtime.instructionSet = before
    Runtime.usesBF16Pairs = usedPairs
  }
}
