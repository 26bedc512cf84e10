public import ItoModules
import ItoTensors

/// Where a number that is not finite first appeared in a step.
public enum NonFinite: Sendable, Hashable {
  /// In the loss, though all parameters were finite.
  case loss
  /// In the gradient of a parameter, the first in the model's order.
  case gradient(ModulePath)
  /// In a parameter itself, the first in the model's order: the step before did it.
  case parameter(ModulePath)
}

extension NonFinite: CustomStringConvertible {
  /// `the gradient of 'blocks.3.attn1.to_q.weight' is not finite`
  public var description: String {
    switch self {
    case .loss: "the loss is not finite"
    case .gradient(let path): "the gradient of '\(path)' is not finite"
    case .parameter(let path): "the parameter '\(path)' is not finite"
    }
  }
}

extension NonFinite {
  /// The place to name when the loss or the norm of the gradients is not finite.
  static func find<M: Module>(in model: M, loss: Double, gradients: Gradients) -> NonFinite? {
    let parameters = model.parameters
    for (path, tensor) in parameters where tensor.dtype.isFloatingPoint && !tensor.isFinite {
      return .parameter(path)
    }
    if !loss.isFinite { return .loss }
    for (path, _) in parameters {
      if let gradient = gradients[path], !gradient.isFinite { return .gradient(path) }
    }
    return nil
  }
}
