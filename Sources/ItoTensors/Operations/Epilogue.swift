import ItoCKernels

/// What follows a product or a convolution in the pass that writes its result:
/// `activation(x·W + bias + residual)`.
///
/// It spares a map's way to memory and back for each of the two. Where gradients are recorded, the residual has
/// another element type, or the library has no such product, they are operations of their own, with the same
/// result but for rounding.
public struct Epilogue: Sendable {
  /// Added to the sum, of the result's shape; nil for nothing.
  public var residual: Tensor?
  /// Applied last; nil for none.
  public var activation: Activation?

  /// Adds `residual`, then applies `activation`.
  public init(adding residual: Tensor? = nil, activation: Activation? = nil) {
    self.residual = residual
    self.activation = activation
  }

  var isEmpty: Bool { residual == nil && activation == nil }

  /// Whether kernels can do this to the result, of `type`, of an operation of `inputs`.
  func isFusible(into type: DType, of inputs: [Tensor]) -> Bool {
    !inputs.contains(where: \.isTracked) && residual?.isTracked != true
      && (residual == nil || residual?.dtype == type)
  }

  /// The two on a sum that is there already.
  public func applied(to sum: Tensor) -> Tensor {
    let whole = residual.map { $0 + sum } ?? sum
    return activation.map { whole.activated(by: $0) } ?? whole
  }

  /// The activation as kernels name it.
  var code: Int64 { activation.map { Int64($0.code) } ?? Int64(ITO_UNARY_NONE) }

  func check(_ operation: String, result: Shape) {
    require(
      residual == nil || residual?.shape == result,
      "\(operation): a residual \(residual?.shape.description ?? "") for a result \(result)")
  }
}

extension Activation {
  /// As `ito_unary.h` numbers functions.
  package var code: Int32 {
    switch self {
    case .silu: Int32(ITO_UNARY_SILU)
    case .gelu: Int32(ITO_UNARY_GELU)
    case .geluTanh: Int32(ITO_UNARY_GELU_TANH)
    case .quickGELU: Int32(ITO_UNARY_QUICK_GELU)
    case .relu: Int32(ITO_UNARY_RELU)
    case .mish: Int32(ITO_UNARY_MISH)
    }
  }
}
