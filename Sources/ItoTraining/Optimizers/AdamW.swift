public import ItoComponents
public import ItoModules
import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Adam with decoupled weight decay.
///
/// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
/// `w ← (1 − ηλ)w − η · m̂ / (√v̂ + ε)`, m̂ and v̂ corrected for their start at 0.
///
/// Weight decay λ is for matrices and kernels: parameters of fewer than two axes (biases, norm scales)
/// have none.
///
/// - Cost: one pass; reads the gradient and reads and writes weight and both moments.
/// - Source: Loshchilov & Hutter 2017, *Decoupled Weight Decay Regularization*, arXiv:1711.05101,
///   algorithm 2.
public struct AdamW: Optimizer, Configurable {
  /// `adamw`
  public static let name = "adamw"
  /// Its plain name.
  public static let aliases = ["adam"]
  /// What it does.
  public static let summary = "Adam with decoupled weight decay"

  /// Share of the mean gradient that stays.
  public var beta1: Double
  /// Share of the mean squared gradient that stays.
  public var beta2: Double
  /// Added to the root of the mean square.
  public var epsilon: Double
  /// Share of a matrix that goes, times the learning rate.
  public var weightDecay: Double
  /// The moments and masters.
  public var memory = OptimizerMemory()

  /// The defaults of PyTorch.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8) and `weight-decay` (0.01).
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      beta1: try options.double("beta1", default: 0.9, in: 0...0.999_999),
      beta2: try options.double("beta2", default: 0.999, in: 0...0.999_999),
      epsilon: try options.double("epsilon", default: 1e-8, in: 0...1),
      weightDecay: try options.double("weight-decay", default: 0.01, in: 0...10))
  }

  /// One step.
  public mutating func update<M: Module>(
    _ model: inout M, with gradients: Gradients, learningRate: Double, gradientScale: Double
  ) {
    memory.stepCount += 1
    let step = step(memory.stepCount, rate: learningRate, gradientScale: gradientScale)
    memory.update(&model, with: gradients) { _, parameter, gradient, entry in
      Self.apply(step, to: &parameter, gradient: gradient, entry: &entry)
    }
  }

  /// The numbers of step `count`, from 1.
  func step(_ count: Int, rate: Double, gradientScale: Double) -> Tensor.AdamWStep {
    Tensor.AdamWStep(
      rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: weightDecay,
      bias1: 1 - pow(beta1, Double(count)), bias2: 1 - pow(beta2, Double(count)),
      gradientScale: gradientScale)
  }

  /// One parameter's share of a step.
  static func apply(
    _ step: Tensor.AdamWStep, to parameter: inout Tensor, gradient: Tensor,
    entry: inout OptimizerMemory.Entry
  ) {
    var step = step
    if parameter.shape.rank < 2 { step.decay = 0 }
    // Taken out and put back, so that the only reference is the one being written.
    var first = entry.first.take() ?? Tensor(zeros: parameter.shape)
    var second = entry.second.take() ?? Tensor(zeros: parameter.shape)
    parameter.adamW(step, gradient: gradient, first: &first, second: &second, master: &entry.master)
    entry.first = first
    entry.second = second
  }
}
