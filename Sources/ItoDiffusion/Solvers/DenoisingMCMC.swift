public import ItoComponents
public import ItoTensors

/// Denoising MCMC: a Markov chain over samples and noise levels together, from whose end the reverse
/// process goes on.
///
/// Heun's steps go down to the least level of the plan that is not below `min`. From there the chain makes
/// `moves`: to another level of the plan, not above `max`, then a step of Langevin's at it,
/// `x ← x + (η/2)·score + √η·z`, η = (2·snr·σ)². Upwards a move adds noise, downwards it takes Heun's steps,
/// either of which brings a sample of one level to one of the other, so that the chain stays in the joint
/// distribution of samples and levels. Then Heun's steps follow the rest of the plan.
/// - Order: 2 without moves. Two evaluations a step, one in the last; the chain takes one for each move and
///   two for each level down.
/// - Domain: as Heun's.
/// - Source: Kim & Ye 2023, *Denoising MCMC for Accelerating Diffusion-Based Generative Models*,
///   arXiv:2209.14593, section 3 and algorithm 1. Differs: there a classifier of noise levels, which no
///   published model brings, says at which level a sample is after Langevin's step; here the levels are
///   visited in a fixed order (van der Corput's) and the sample is brought to them. One chain gives one
///   picture, where the authors' goes on and pays for many.
public struct DenoisingMCMC: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dmcmc"
  /// What other tools call it.
  public static let aliases = ["denoising-mcmc", "denoising-langevin-gibbs"]
  /// One line for tables.
  public static let summary = "Heun's steps with a chain over samples and levels between"

  /// Where the levels are that the chain visits.
  public var interval: NoiseInterval
  /// Moves of the chain.
  public var moves: Int
  /// Length of a step of Langevin's in units of the level's noise.
  public var signalToNoise: Double

  /// Ten moves, as the authors' demonstration makes, unless told otherwise.
  public init(
    interval: NoiseInterval = NoiseInterval(0.1, 1), moves: Int = 10, signalToNoise: Double = 0.16
  ) {
    self.interval = interval
    self.moves = moves
    self.signalToNoise = signalToNoise
  }

  /// Takes the options `min`, `max`, `moves`, `snr`.
  public init(options: inout OptionReader) throws(OptionError) {
    interval = try NoiseInterval(options: &options, 0.1, 1)
    moves = try options.int("moves", default: 10, in: 0...1000)
    signalToNoise = try options.double("snr", default: 0.16, in: 0...1)
  }

  private var heun: HeunSolver { HeunSolver(variables: .automatic) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 2, evaluations: 2, isStochastic: moves > 0, source: "arXiv:2209.14593")
  }

  /// Refuses plans the method cannot follow.
  public func validate(_ plan: SamplingPlan) throws(SamplingError) {
    try heun.validate(plan)
    if moves > 0, visited(of: plan).isEmpty { throw interval.unmet(by: "dmcmc") }
  }

  /// The levels of the chain, noisiest first.
  private func visited(of plan: SamplingPlan) -> [NoiseLevel] {
    plan.levels.dropFirst().filter {
      $0.noiseToSignal >= interval.minimum && $0.noiseToSignal <= interval.maximum
    }
  }

  /// The levels of the chain and Heun's memory.
  public struct Memory: Sendable {
    let levels: [NoiseLevel]
    var heun: HeunSolver.Memory
    var isDone: Bool
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(levels: visited(of: plan), heun: heun.makeMemory(for: plan), isDone: moves == 0)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    var x = try heun.step(
      x, from: current, to: next, memory: &memory.heun, noise: &noise, denoise: denoise)
    guard !memory.isDone, next == memory.levels.last else { return x }
    memory.isDone = true
    let levels = memory.levels
    func descend(_ x: Tensor, from place: Int, to end: Int) throws(SamplingError) -> Tensor {
      var x = x
      for index in place..<max(place, end) {
        x = try heun.step(
          x, from: levels[index], to: levels[index + 1], memory: &memory.heun, noise: &noise,
          denoise: denoise)
      }
      return x
    }
    let length = 2 * signalToNoise * signalToNoise
    var place = levels.count - 1
    for move in 1...moves {
      let target = Int(vanDerCorput(move) * Double(levels.count))
      let level = levels[target]
      if target < place {
        let (from, to) = (levels[place].noiseToSignal, level.noiseToSignal)
        x = Tensor.linearCombination([
          (level.alpha / levels[place].alpha, x),
          (level.alpha * (to * to - from * from).squareRoot(), try noise.normal(x.shape)),
        ])
      } else {
        x = try descend(x, from: place, to: target)
      }
      place = target
      let clean = try denoise(x, level)
      x = Tensor.linearCombination([
        (1 - length, x), (length * level.alpha, clean),
        ((2 * length).squareRoot() * level.sigma, try noise.normal(x.shape)),
      ])
    }
    return try descend(x, from: place, to: levels.count - 1)
  }
}

/// The digits of `index` in base 2 mirrored at the point: numbers in 0..<1 that fill it evenly.
private func vanDerCorput(_ index: Int) -> Double {
  var (value, share, rest) = (0.0, 0.5, index)
  while rest > 0 {
    if rest % 2 == 1 { value += share }
    share /= 2
    rest /= 2
  }
  return value
}
