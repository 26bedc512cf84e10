import ItoTensors

/// The memory of a method that solves several steps at once by iteration: guesses of the samples after
/// the steps ahead, which one batch of evaluations improves all together.
///
/// The samples solve a triangular system, `x_{j+1} = Step_j(x_j)` with Euler's step. A round evaluates
/// the denoiser at all guesses of the window and makes from the estimates what the samples should be,
/// the targets. The first is right whatever the guesses were, and so is each next one while the guess
/// before it was within the tolerance: a round settles at least one step, so that no more rounds are
/// needed than there are steps, and with tolerance 0 the result is the sequential one.
public struct TimeWindow: Sendable {
  /// A round's guesses and how far the targets were from them, by step from the window's first.
  struct Round: Sendable {
    var guesses: [Tensor], residuals: [Tensor]
  }

  /// What a method does its own way.
  struct Settings {
    /// Steps solved together.
    var size: Int
    /// How many steps back a target is computed from; nil for the window's beginning.
    var order: Int?
    /// Root mean square distance at which a guess counts as right, in units of `alpha + sigma`; that of
    /// the batch's worst sample.
    var tolerance: Double
    /// Rounds kept for `improved`.
    var remembered = 0
    /// Better guesses for the steps from `first` on: from the round just made and those before it,
    /// oldest first. The targets are the guesses plus the residuals.
    var improved: (_ first: Int, _ now: Round, _ before: [Round]) -> [Tensor]
  }

  private let plan: SamplingPlan
  private var index = 0
  private var guesses: [Tensor] = []
  private var settled = 0
  private var rounds: [Round] = []

  init(_ plan: SamplingPlan) { self.plan = plan }

  /// The sample after the next step, `x` being the one before it.
  mutating func advance(
    _ x: Tensor, _ settings: Settings, noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    while settled == 0 { try iterate(x, settings, noise: &noise, denoise: denoise) }
    settled -= 1
    index += 1
    for k in rounds.indices {
      rounds[k].guesses = Array(rounds[k].guesses.dropFirst())
      rounds[k].residuals = Array(rounds[k].residuals.dropFirst())
    }
    return guesses.removeFirst()
  }

  /// One round.
  private mutating func iterate(
    _ x: Tensor, _ settings: Settings, noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) {
    let starts = [x] + guesses.dropLast()
    let first = index
    let queries = starts.enumerated().map { offset, start in
      let (level, next) = plan.step(first + offset)
      return DenoiseQuery(start, level, toward: next, stepOffset: offset)
    }
    let estimates = try denoise.together(queries)
    func stepped(_ x: Tensor, _ offset: Int, _ estimate: Tensor) throws(SamplingError) -> Tensor {
      let (level, next) = plan.step(first + offset)
      return try implicitStep(x, estimate: estimate, from: level, to: next, noise: &noise)
    }
    var targets: [Tensor] = []
    for position in starts.indices {
      // From `order` steps back, or on from the target before where that began in the same place.
      var begin = settings.order.map { Swift.max(0, position + 1 - $0) } ?? 0
      var reached = starts[begin]
      if begin == 0, let before = targets.last { (begin, reached) = (position, before) }
      for offset in begin...position { reached = try stepped(reached, offset, estimates[offset]) }
      targets.append(reached)
    }
    if guesses.isEmpty {
      // The first round of a run knows one estimate: its step is right, the rest a first guess.
      guesses = targets
      settled = 1
    } else {
      let residuals = Swift.zip(targets, guesses).map {
        Tensor.linearCombination([(1, $0), (-1, $1)])
      }
      let right = residuals.enumerated().prefix { position, residual in
        let level = plan.step(first + position).next
        let worst = residual.sampleProducts(residual).max() ?? 0
        let count = Double(residual.shape.count / residual.batchCount)
        return (worst / count).squareRoot() <= settings.tolerance * (level.alpha + level.sigma)
      }.count
      settled = Swift.min(right + 1, targets.count)
      let now = Round(guesses: guesses, residuals: residuals)
      guesses = Array(targets[..<settled]) + settings.improved(settled, now, rounds)
      rounds = (rounds + [now]).suffix(settings.remembered)
    }
    // Room for the steps that the window reaches once the settled ones are taken.
    let wanted = Swift.min(settings.size + settled, plan.stepCount - index)
    while guesses.count < wanted, let last = guesses.last, let estimate = estimates.last {
      guesses.append(try stepped(last, guesses.count, estimate))
    }
  }
}
