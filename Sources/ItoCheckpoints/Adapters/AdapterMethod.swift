import ItoModules
import ItoTensors

/// A way of describing a change to a weight by small tensors.
public struct AdapterMethod: Sendable {
  /// The name users know: `LoRA`, `LoHa`.
  public let name: String
  /// The roles by one of which it is recognised.
  let marks: Set<String>
  let make: @Sendable (AdapterParts) throws(AdapterFault) -> AdapterChange

  /// A method that makes a change from the tensors of one module.
  init(
    name: String, marks: Set<String>,
    make: @escaping @Sendable (AdapterParts) throws(AdapterFault) -> AdapterChange
  ) {
    self.name = name
    self.marks = marks
    self.make = make
  }
}

/// Why a change cannot be made, to be put into a sentence about its module.
struct AdapterFault: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A change to a weight seen as a matrix `[out, columns]`: `in` columns of a linear layer, or
/// `in·height·width` of a convolution, in this order.
enum AdapterChange {
  /// `scale·up·down`, which a convolution can apply as two.
  case lowRank(LowRankDelta)
  /// Anything else.
  case matrix(any WeightDelta)
}

/// The tensors of one module, and the weight they change.
struct AdapterParts {
  /// Tensors by role.
  var tensors: [String: Tensor]
  /// Shape of the weight in published files: `[out, in]` or `[out, in, height, width]`.
  var weight: Shape

  /// Columns of the weight as a matrix.
  var columns: Int { weight.count / max(1, weight[0]) }

  /// The tensor of a role.
  func callAsFunction(_ role: String) throws(AdapterFault) -> Tensor {
    guard let tensor = tensors[role] else { throw AdapterFault("lacks its \(role)") }
    return tensor
  }

  /// α/rank; 1 when there is no α.
  func scale(rank: Int) -> Double {
    guard let alpha = tensors["alpha"], alpha.shape.count == 1 else { return 1 }
    let value = Double(alpha.item)
    return value.isFinite ? value / Double(max(1, rank)) : 1
  }

  /// `tensor` as a matrix of its first axis and all others.
  static func matrix(_ tensor: Tensor) throws(AdapterFault) -> Tensor {
    guard tensor.shape.rank >= 2, tensor.shape.count > 0 else {
      throw AdapterFault("has a factor of shape \(tensor.shape)")
    }
    return tensor.shape.rank == 2
      ? tensor : tensor.reshaped(to: [tensor.shape[0], tensor.shape.count / tensor.shape[0]])
  }

  /// `core` of `[a, b, height, width]` with its second axis taken to `[rank_b, in]`: `[a, in·height·width]`.
  static func contracted(_ core: Tensor, with inner: Tensor) throws(AdapterFault) -> Tensor {
    let matrix = try matrix(inner)
    guard core.shape.rank >= 3, core.shape[1] == matrix.shape[0] else {
      throw AdapterFault("has a core of shape \(core.shape) for a factor of \(inner.shape)")
    }
    let (a, b, inputs) = (core.shape[0], core.shape[1], matrix.shape[1])
    let taps = core.shape.count / (a * b)
    let moved = core.cast(to: .float32).reshaped(to: [a, b, taps]).permuted(0, 2, 1)
    let product = moved.reshaped(to: [a * taps, b]).matmul(matrix.cast(to: .float32))
    return product.reshaped(to: [a, taps, inputs]).permuted(0, 2, 1)
      .reshaped(to: [a, inputs * taps])
  }
}
