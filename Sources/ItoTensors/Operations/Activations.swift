import ItoCKernels

/// An elementwise non-linearity of a network. Raw values are the names model configurations use.
public enum Activation: String, Sendable, Hashable, CaseIterable {
  /// ``Tensor/silu()``, also known as swish.
  case silu
  /// ``Tensor/gelu()``.
  case gelu
  /// ``Tensor/geluTanh()``.
  case geluTanh = "gelu_tanh"
  /// ``Tensor/quickGELU()``.
  case quickGELU = "quick_gelu"
  /// ``Tensor/relu()``.
  case relu
  /// ``Tensor/mish()``.
  case mish
}

extension Tensor {
  /// This activation of every element.
  public func activated(by activation: Activation) -> Tensor {
    switch activation {
    case .silu: silu()
    case .gelu: gelu()
    case .geluTanh: geluTanh()
    case .quickGELU: quickGELU()
    case .relu: relu()
    case .mish: mish()
    }
  }

  /// `x · sigmoid(x)`.
  ///
  /// - Source: Elfwing et al. 2017, *Sigmoid-weighted linear units*, arXiv:1702.03118.
  public func silu() -> Tensor { unary(Int(ITO_UNARY_SILU), saving: .input) }

  /// `x · Φ(x)`, Φ the distribution function of the unit normal: GELU in its exact form.
  ///
  /// Absolute error of Φ below 1e-7.
  /// - Source: Hendrycks & Gimpel 2016, *Gaussian error linear units*, arXiv:1606.08415.
  public func gelu() -> Tensor { unary(Int(ITO_UNARY_GELU), saving: .input) }

  /// `0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))`, the same paper's approximation of ``gelu()``.
  public func geluTanh() -> Tensor { unary(Int(ITO_UNARY_GELU_TANH), saving: .input) }

  /// `x · sigmoid(1.702 x)`, the same paper's cheaper approximation, which CLIP uses.
  public func quickGELU() -> Tensor { unary(Int(ITO_UNARY_QUICK_GELU), saving: .input) }

  /// `max(x, 0)`; its gradient at zero is zero.
  public func relu() -> Tensor { unary(Int(ITO_UNARY_RELU), saving: .result) }

  /// `x · tanh(softplus(x))`.
  ///
  /// - Source: Misra 2019, *Mish*, arXiv:1908.08681.
  public func mish() -> Tensor { unary(Int(ITO_UNARY_MISH), saving: .input) }

  /// `log(1 + e^x)`, without overflow.
  public func softplus() -> Tensor { unary(Int(ITO_UNARY_SOFTPLUS), saving: .input) }
}
