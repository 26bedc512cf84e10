public import ItoComponents
public import ItoModules
public import ItoTensors

/// Momentum whose step is made orthogonal: every direction of a matrix moves by the same amount.
///
/// `m ← μm + g`, `u = g + μm` (Nesterov's look-ahead), `O ≈ UVᵀ` of `u = UΣVᵀ` by Newton and Schulz,
/// `w ← (1 − ηλ)w − η · 0.2·√max(rows, columns) · O`. The factor gives the step the size that AdamW's
/// has, so learning rates and decays of AdamW serve here.
///
/// It is for the matrices and convolution kernels inside a network, a kernel as the matrix
/// `[out, rest]`. Biases and norms, what is narrower than `narrowest` on a side, and what `exceptions`
/// name (by default embeddings and the first and last layers) are trained by AdamW.
///
/// - Memory: one float a parameter where AdamW has two.
/// - Cost: see `Tensor.orthogonalized(steps:)`; matrices of one shape go through it together.
/// - Source: Jordan et al. 2024, *Muon*, kellerjordan.github.io/posts/muon; the factor and the decay
///   from Liu et al. 2025, *Muon is Scalable for LLM Training*, arXiv:2502.16982, equation 4.
public struct Muon: Optimizer, Configurable {
  /// `muon`
  public static let name = "muon"
  /// What it does.
  public static let summary = "orthogonal steps for matrices and kernels, AdamW for the rest"

  /// What is trained by AdamW whatever its shape, unless told otherwise: embeddings, first and last layers.
  public static let defaultExceptions = ["*embed*", "conv_in.*", "conv_out.*", "proj_out*"]

  /// Share of the momentum that stays.
  public var momentum: Double
  /// Steps of Newton and Schulz.
  public var iterations: Int
  /// Paths of what AdamW trains, from the network down: without a denoiser's `backbone.`.
  public var exceptions: [PathPattern]
  /// A matrix with fewer rows or columns is AdamW's.
  public var narrowest: Int
  /// AdamW's learning rate over that of Muon.
  public var restRate: Double
  /// AdamW of the rest; its weight decay is that of all. Its memory is not used: see `memory`.
  public var rest: AdamW
  /// The momenta, the moments of the rest, and the masters.
  public var memory = OptimizerMemory()

  /// Momentum 0.95, 5 iterations, AdamW (0.9, 0.95) at the same rate for the rest.
  public init(
    momentum: Double = 0.95, weightDecay: Double = 0.01, iterations: Int = 5,
    exceptions: [String] = Self.defaultExceptions, narrowest: Int = 8, restRate: Double = 1,
    beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8
  ) {
    self.momentum = momentum
    self.iterations = iterations
    self.exceptions = exceptions.map(PathPattern.init)
    self.narrowest = narrowest
    self.restRate = restRate
    rest = AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
  }

  /// Options `momentum` (0.95), `weight-decay` (0.01), `iterations` (5), `adamw-paths` (patterns with
  /// `*`), `narrowest` (8), `adamw-rate` (1, times the learning rate), `beta1` (0.9), `beta2` (0.95) and
  /// `epsilon` (1e-8).
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      momentum: try options.double("momentum", default: 0.95, in: 0...0.999_999),
      weightDecay: try options.double("weight-decay", default: 0.01, in: 0...10),
      iterations: try options.int("iterations", default: 5, in: 1...20),
      exceptions: try options.strings("adamw-paths") ?? Self.defaultExceptions,
      narrowest: try options.int("narrowest", default: 8, in: 2...1_000_000),
      restRate: try options.double("adamw-rate", default: 1, in: 0...1000),
      beta1: try options.double("beta1", default: 0.9, in: 0...0.999_999),
      beta2: try options.double("beta2", default: 0.95, in: 0...0.999_999),
      epsilon: try options.double("epsilon", default: 1e-8, in: 0...1))
  }

  /// Whether the parameter at `path` gets orthogonal steps.
  public func isOrthogonal(_ path: ModulePath, shape: Shape) -> Bool { choice(path, shape) }

  /// `isOrthogonal` on its own, for use while the memory is written.
  private var choice: (ModulePath, Shape) -> Bool {
    { [narrowest, exceptions] path, shape in
      guard shape.rank >= 2, shape.count > 0 else { return false }
      var own = path
      if own.components.first == "backbone" { own.components.removeFirst() }
      return min(shape[0], shape.count / shape[0]) >= narrowest
        && !exceptions.contains { $0.matches(own) }
    }
  }

  /// One step.
  public mutating func update<M: Module>(
    _ model: inout M, with gradients: Gradients, learningRate: Double, gradientScale: Double
  ) {
    memory.stepCount += 1
    let restStep = rest.step(
      memory.stepCount, rate: restRate * learningRate, gradientScale: gradientScale)
    let momentum = momentum, decay = rest.weightDecay
    let isOurs = choice
    var pending: [(path: ModulePath, matrix: Tensor)] = []
    memory.update(&model, with: gradients) { path, parameter, gradient, entry in
      guard isOurs(path, parameter.shape) else {
        AdamW.apply(restStep, to: &parameter, gradient: gradient, entry: &entry)
        return
      }
      let old = entry.first.map { [(momentum, $0)] } ?? []
      let new = Tensor.linearCombination(old + [(gradientScale, gradient)], dtype: .float32)
      let ahead = Tensor.linearCombination(
        [(gradientScale, gradient), (momentum, new)], dtype: .float32)
      entry.first = new
      pending.append((path, ahead.reshaped(to: [parameter.shape[0], -1])))
    }
    let directions = orthogonal(pending)
    memory.update(&model, with: directions) { _, parameter, direction, entry in
      let columns = parameter.shape.count / parameter.shape[0]
      // Descent without momentum adds the decay to the scaled direction: it is the formula above.
      let step = Tensor.SGDStep(
        rate: learningRate, momentum: 0, decay: decay,
        gradientScale: 0.2 * Double(max(parameter.shape[0], columns)).squareRoot(),
        isNesterov: false)
      var none: Tensor?
      parameter.descend(
        step, gradient: direction.reshaped(to: parameter.shape), momentum: &none,
        master: &entry.master)
    }
  }

  /// The orthogonal matrices of `pending`. Those of one shape are multiplied together, as many as stay
  /// in the cache between products.
  private func orthogonal(_ pending: [(path: ModulePath, matrix: Tensor)]) -> Gradients {
    var result = Gradients()
    var groups: [Shape: [Int]] = [:]
    func finish(_ indices: [Int]) {
      let stack = Tensor.stacked(indices.map { pending[$0].matrix }).orthogonalized(
        steps: iterations)
      for (row, index) in indices.enumerated() {
        result.byPath[pending[index].path] = stack.indexed(row, axis: 0)
      }
    }
    for (index, item) in pending.enumerated() {
      let shape = item.matrix.shape
      groups[shape, default: []].append(index)
      if let group = groups[shape], (group.count + 1) * shape.count > Self.stackSize {
        finish(group)
        groups[shape] = nil
      }
    }
    for group in groups.values { finish(group) }
    return result
  }

  /// Elements of matrices that are made orthogonal together: 256 KB, so that the operands and the result
  /// of a product are in a core's cache.
  private static let stackSize = 1 << 16
}
