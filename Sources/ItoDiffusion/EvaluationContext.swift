public import ItoTensors

/// What a network's evaluations share within one run: the seams for caches and attention kernels.
///
/// Not `Sendable` on purpose: it belongs to one run on one thread.
public final class EvaluationContext {
  /// Whether gradients are wanted, so that nothing may be reused.
  public let isTraining: Bool
  /// Computes attention, as the pass's perturbation has it.
  public var attention: any AttentionBackend {
    guard let perturbation, perturbation.identityAttention != .none else { return backend }
    return PerturbedAttention(
      base: backend, blocks: perturbation.identityAttention, hits: perturbed)
  }
  /// Where the run is; nil outside of one.
  public var step: StepInfo?
  /// Which of the step's passes is evaluated.
  public var pass: PassID = .conditional
  /// What the pass spoils of the network on purpose; nil for nothing.
  public var perturbation: Perturbation?
  /// How often sites were computed and reused so far.
  public private(set) var statistics = CacheStatistics()

  /// Sites and attentions that a perturbation changed so far.
  public var perturbedCount: Int { perturbed.count }

  private let backend: any AttentionBackend
  private let perturbed = HitCounter()
  private let makeSession: (() -> any CacheSession)?
  private var sessions: [PassID: any CacheSession] = [:]
  private var kept: [Site: Kept] = [:]
  private var path: (any TokenPath)?
  /// The levels at which the run's steps begin; none outside of one.
  let plannedLevels: ArraySlice<NoiseLevel>
  /// What networks will be told of the planned levels.
  var plannedTimes: [Float] = []
  var lookaheads: [Site: Lookahead] = [:]

  /// A context without a cache unless `makeSession` is given, which is called once for each pass.
  public init(
    training: Bool = false, attention: any AttentionBackend = FusedAttention(),
    makeSession: (() -> any CacheSession)? = nil
  ) {
    isTraining = training
    backend = attention
    self.makeSession = makeSession
    plannedLevels = []
  }

  /// A context for a run with `cache`.
  public init(
    cache: (any CachePolicy)?, plan: SamplingPlan,
    attention: any AttentionBackend = FusedAttention()
  ) {
    isTraining = false
    backend = attention
    makeSession = cache.map { cache in { cache.makeSession(for: plan) } }
    plannedLevels = plan.levels.dropLast()
  }

  /// A context for one training step, in which some tokens skip blocks where `routing` says so.
  ///
  /// - Parameter noise: chooses the tokens.
  public convenience init(routing: TokenRouting?, noise: NoiseSource) {
    self.init(path: routing.map { TokenRoute($0, noise: noise) })
  }

  /// A context for one training step, in which tokens take `path`.
  package convenience init(path: (any TokenPath)?) {
    self.init(training: true)
    self.path = path
  }

  /// Computes `body` of `input`, or takes what the cache offers instead.
  ///
  ///     for (i, block) in blocks.enumerated() {
  ///       h = context.run(.block(index: i, count: blocks.count), on: h) { block($0, time) }
  ///     }
  ///
  /// Without a cache, outside a run and in training this is a call of `body`, with the tokens that go through
  /// the block where a training step chooses them.
  public func run(
    _ site: CacheSite, on input: Activations, signal: @escaping () -> Tensor? = { nil },
    _ body: (Activations) -> Activations
  ) -> Activations {
    if case .block(let index, let count) = site, path != nil {
      return routed(input, block: index, of: count, body)
    }
    if let perturbation, case .block(let index, _) = site,
      perturbation.skippedBlocks.contains(index)
    {
      perturbed.add()
      return input
    }
    guard let makeSession, let step, !isTraining else { return body(input) }
    let query = CacheQuery(site: site, input: input, step: step, signal: signal)
    let pass = self.pass
    // Out of the dictionary while in use, so that it is changed in place.
    var session = sessions.removeValue(forKey: pass) ?? makeSession()
    let hit = session.lookup(query)
    sessions[pass] = session
    if let hit {
      statistics.reused += 1
      return hit
    }
    // Sites inside this one use the session meanwhile.
    let output = body(input)
    statistics.computed += 1
    session = sessions.removeValue(forKey: pass) ?? makeSession()
    session.record(output, for: query)
    sessions[pass] = session
    return output
  }

  private func routed(
    _ input: Activations, block index: Int, of count: Int, _ body: (Activations) -> Activations
  ) -> Activations {
    var input = input
    input.hidden = path?.entering(input.hidden, block: index, of: count) ?? input.hidden
    var output = body(input)
    output.hidden = path?.leaving(output.hidden, block: index, of: count) ?? output.hidden
    return output
  }

  /// As above for a network with one stream.
  public func run(
    _ site: CacheSite, on input: Tensor, signal: @escaping () -> Tensor? = { nil },
    _ body: (Tensor) -> Tensor
  ) -> Tensor {
    run(site, on: Activations(input), signal: signal) { Activations(body($0.hidden)) }.hidden
  }

  /// What a layer makes of an input that stays as it is from step to step, such as a prompt's keys and values:
  /// computed once in a run for each pass, and again when the input is another one.
  ///
  /// Outside of a run and in training this is a call of `body`. Values are kept until the run ends.
  public func constants(
    of layer: LayerIdentity, on input: Tensor, _ body: (Tensor) -> [Tensor]
  ) -> [Tensor] {
    guard step != nil, !isTraining, !input.isTracked else { return body(input) }
    let site = site(of: layer)
    if let found = kept[site], found.isOf(input) { return found.values }
    let values = body(input)
    kept[site] = Kept(layer: layer, input: input, values: values)
    return values
  }

  /// A layer in one of the passes.
  struct Site: Hashable {
    let pass: PassID, layer: ObjectIdentifier
  }

  func site(of layer: LayerIdentity) -> Site {
    Site(pass: pass, layer: ObjectIdentifier(layer))
  }

  // Holds the layer and the input, so that neither's address can become another's.
  private struct Kept {
    let layer: LayerIdentity, input: Tensor, values: [Tensor]

    func isOf(_ other: Tensor) -> Bool {
      input.storageAddress == other.storageAddress && input.shape == other.shape
        && input.dtype == other.dtype
    }
  }

  /// Attention by the run's backend; see `AttentionInputs`.
  public func attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, bias: Tensor? = nil,
    isCausal: Bool = false, scale: Double? = nil, block: Int
  ) -> Tensor {
    let inputs = AttentionInputs(
      query: query, key: key, value: value, mask: mask, bias: bias, isCausal: isCausal,
      scale: scale)
    return attention.attend(inputs, block: block, step: step)
  }
}
