public import ItoComponents
public import ItoModules
import ItoTensors

/// Gradient descent with momentum.
///
/// `m ← μm + g`, `w ← w − η·m`, or with Nesterov's look-ahead `w ← w − η·(g + μm)`; weight decay is
/// added to the gradient of parameters of two axes and more.
///
/// - Source: Sutskever et al. 2013, *On the importance of initialization and momentum in deep
///   learning*, in PyTorch's form, where the learning rate is outside the momentum.
public struct SGD: Optimizer, Configurable {
  /// `sgd`
  public static let name = "sgd"
  /// What it does.
  public static let summary = "gradient descent with momentum"

  /// Share of the momentum that stays; 0: none is kept.
  public var momentum: Double
  /// Share of a matrix that is added to its gradient.
  public var weightDecay: Double
  /// Whether the step looks ahead.
  public var isNesterov: Bool
  /// The momenta and masters.
  public var memory = OptimizerMemory()

  /// Momentum 0.9, no decay, no look-ahead.
  public init(momentum: Double = 0.9, weightDecay: Double = 0, isNesterov: Bool = false) {
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.isNesterov = isNesterov
  }

  /// Options `momentum` (0.9), `weight-decay` (0) and `nesterov` (false).
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      momentum: try options.double("momentum", default: 0.9, in: 0...0.999_999),
      weightDecay: try options.double("weight-decay", default: 0, in: 0...10),
      isNesterov: try options.bool("nesterov", default: false))
  }

  /// One step.
  public mutating func update<M: Module>(
    _ model: inout M, with gradients: Gradients, learningRate: Double, gradientScale: Double
  ) {
    memory.stepCount += 1
    let step = Tensor.SGDStep(
      rate: learningRate, momentum: momentum, decay: weightDecay, gradientScale: gradientScale,
      isNesterov: isNesterov)
    memory.update(&model, with: gradients) { _, parameter, gradient, entry in
      var step = step
      if parameter.shape.rank < 2 { step.decay = 0 }
      parameter.descend(
        step, gradient: gradient, momentum: &entry.first, master: &entry.master)
    }
  }
}
