public import ItoModules
public import ItoTensors

/// What steers a network's layers at its noise level: a vector for each sample, made of the time and of what is asked
/// for, and nothing else.
///
/// In a run those of the levels to come are known, so layers that see nothing but these vectors compute them for many
/// steps in one product, which reads their weights once instead of once a step: a third of all weights of a diffusion
/// transformer. Every row has the bits that it has alone; see `Tensor.linearByRow`.
public struct Steering {
  private let rows: Tensor
  private let context: EvaluationContext
  /// Where the rows of this level are among those of several; nil where the rows are the samples'.
  private let place: Range<Int>?
  private let batch: Int

  /// The given vectors, `[batch, features]`, one for each sample.
  public init(_ rows: Tensor, context: EvaluationContext) {
    self.init(rows, context: context, place: nil, batch: rows.shape[0])
  }

  fileprivate init(_ rows: Tensor, context: EvaluationContext, place: Range<Int>?, batch: Int) {
    self.rows = rows
    self.context = context
    self.place = place
    self.batch = batch
  }

  /// The vectors, `[batch, features]`.
  public var vectors: Tensor { samples(of: rows) }

  /// What a layer makes of the vectors, `[batch, out]`.
  ///
  /// - Parameter identity: names the layer, or what it belongs to, in what the run keeps.
  public func projected(by layer: Linear, of identity: LayerIdentity) -> Tensor {
    guard place != nil else { return layer(steering: rows, in: context) }
    return samples(of: context.constants(of: identity, on: rows) { [layer(rows: $0)] }[0])
  }

  /// Those of this level among `all`.
  private func samples(of all: Tensor) -> Tensor {
    guard let place else { return all }
    let own = all.sliced(place, axis: 0)
    return place.count == batch ? own : own.repeated(batch)
  }
}

extension Linear {
  /// The layer on vectors that steer a network, or are to: row by row, but as always in training.
  public func callAsFunction(
    steering x: Tensor, adding residual: Tensor? = nil, activation: Activation? = nil,
    in context: EvaluationContext
  ) -> Tensor {
    context.isTraining
      ? self(x, adding: residual, activation: activation)
      : self(rows: x, adding: residual, activation: activation)
  }
}

/// The vectors of a network for the levels from one on.
struct Lookahead {
  /// Held, so that its address cannot become another's.
  let network: LayerIdentity
  let asked: Conditioning
  let times: [Float]
  /// `[times · samples, features]`
  let rows: Tensor
}

extension EvaluationContext {
  /// Rows that are computed at once at most: with more, weights are not read less often by much.
  static let lookaheadRows = 64

  /// Notes what networks will be told of the levels at which the run's steps begin, in their unit.
  func foresee(_ time: (NoiseLevel) -> Double) {
    guard !isTraining, !plannedLevels.isEmpty else { return }
    plannedTimes = plannedLevels.map { Float(time($0)) }
  }

  /// What steers a network now.
  ///
  /// In a run, where all samples are at one level, and that is one of the plan's, `embed` is called for as many of the
  /// levels from it on as are worth while, and again where these end or something else is asked for. At other levels,
  /// such as those between two steps, outside of a run and in training it is called for the samples at hand.
  ///
  /// - Parameters:
  ///   - network: names the network, or the part that has an embedding of its own.
  ///   - time: `[batch]`, as the network is told it.
  ///   - asked: what `embed` reads beside the time, and nothing else: one sample each, or nothing at all.
  ///   - embed: from times `[rows]` and what is asked for each of them to `[rows, features]`. It computes each row by
  ///     itself; see `Linear.callAsFunction(steering:adding:activation:in:)`.
  public func steering(
    of network: LayerIdentity, at time: Tensor, given asked: Conditioning = Conditioning(),
    _ embed: (Tensor, Conditioning) -> Tensor
  ) -> Steering {
    let batch = time.shape[0], each = asked.batchCount ?? 1
    let times = time.scalars
    guard step != nil, !isTraining, let now = times.first, times.allSatisfy({ $0 == now }),
      asked.batchCount == nil || each == batch
    else { return Steering(embed(time, asked), context: self) }
    func steering(_ ahead: Lookahead) -> Steering? {
      ahead.times.firstIndex(of: now).map {
        Steering(ahead.rows, context: self, place: $0 * each..<($0 + 1) * each, batch: batch)
      }
    }
    let site = site(of: network)
    if let ahead = lookaheads[site], ahead.asked.isSame(as: asked), let found = steering(ahead) {
      return found
    }
    let start = plannedTimes.firstIndex(of: now) ?? plannedTimes.count
    let coming = Array(plannedTimes[start...].prefix(max(1, Self.lookaheadRows / each)))
    let everything = [Conditioning](repeating: asked, count: coming.count)
    guard let all = Conditioning.batched(everything) else {
      return Steering(embed(time, asked), context: self)
    }
    let rows = coming.flatMap { [Float](repeating: $0, count: each) }
    let ahead = Lookahead(
      network: network, asked: asked, times: coming,
      rows: embed(Tensor(rows, shape: [rows.count]), all))
    lookaheads[site] = ahead
    return Steering(ahead.rows, context: self, place: 0..<each, batch: batch)
  }
}
