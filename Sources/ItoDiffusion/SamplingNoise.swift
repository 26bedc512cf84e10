public import ItoTensors

/// The random numbers of a run: one stream for each sample, so that sample k of a batch does not
/// depend on the batch.
///
/// The initial noise and the noise of the steps come from the same streams, in this order, which is
/// how a seed gives the picture it gives in other tools:
///
///     var noise = SamplingNoise(seed: 42, count: 4)   // seeds 42, 43, 44, 45
///     let initial = noise.normal([4, 64, 64, 4])
public struct SamplingNoise: Sendable {
  private var source: NoiseSource
  private var recorded: [Tensor]?
  private var taken = 0

  /// Numbers from `source`, which has one stream or one for each sample.
  public init(_ source: NoiseSource) { self.source = source }

  /// Streams of the seeds `seed`, `seed + 1`, … for `count` samples.
  public init(
    seed: UInt64, count: Int = 1, engine: NoiseSource.Engine = .torch, channelsFirst: Bool = true
  ) {
    source = NoiseSource(
      perSample: (0..<UInt64(max(1, count))).map { seed &+ $0 }, engine: engine,
      channelsFirst: channelsFirst)
  }

  /// The given tensors, one after the other, in place of random numbers.
  public init(recorded: [Tensor]) {
    source = NoiseSource(seed: 0, engine: .philox)
    self.recorded = recorded
  }

  /// Independent unit normals, float32, `[batch, …]`.
  public mutating func normal(_ shape: Shape) throws(SamplingError) -> Tensor {
    guard let recorded else { return source.normal(shape) }
    guard taken < recorded.count else { throw .notEnoughNoise(recorded: recorded.count) }
    guard recorded[taken].shape == shape else {
      throw .invalidRequest("recorded noise of shape \(recorded[taken].shape) for \(shape)")
    }
    defer { taken += 1 }
    return recorded[taken]
  }
}
