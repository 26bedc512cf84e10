/// A stream of random numbers: an engine and its state, as a value.
///
/// A copy continues as the original would. The same seed, engine and calls give the same bits on
/// every machine, whatever the number of threads (`torchScalar` and double-precision draws: with
/// the same C library).
///
/// ```swift
/// var noise = NoiseSource(seed: 42)
/// let initial = noise.normal([1, 64, 64, 4])
/// ```
public struct NoiseSource: Sendable, Hashable {
  /// Where the numbers come from.
  public enum Engine: String, Sendable, Hashable, CaseIterable {
    /// torch's CPU generator on x86 with AVX2, which is nearly every machine: the same bits as
    /// `torch.randn` and `torch.rand` in float32, `torch.randint` and `torch.randperm`. Of the seed
    /// the low 32 bits count.
    case torch
    /// torch's CPU generator where it has no vector math (ARM): the same uniforms as `torch`, and
    /// normals that differ from its by up to 2e-6.
    case torchScalar = "torch-scalar"
    /// Counter-based Philox 4x32-10, for training: the state is a seed and a counter, and streams
    /// are independent. Source: Salmon et al. 2011, *Parallel random numbers: as easy as 1, 2, 3*.
    case philox
    /// Philox laid out as torch's CUDA generator does for up to as many elements as the GPU has
    /// threads. Agrees to about 1e-6: GPUs round differently.
    case cuda
  }

  /// Where the numbers come from.
  public let engine: Engine

  /// Whether shapes of four axes and more, `[batch, height, width, channels]`, are filled in the
  /// order of `[batch, channels, height, width]`, as tools that keep channels first draw them.
  public var channelsFirst: Bool

  var streams: [NoiseStream]

  /// One stream.
  public init(seed: UInt64, engine: Engine = .torch, channelsFirst: Bool = false) {
    self.init(perSample: [seed], engine: engine, channelsFirst: channelsFirst)
  }

  /// One stream for each sample of a batch: sample k of every tensor drawn is what
  /// `NoiseSource(seed: seeds[k])` would draw for it alone, whatever the batch size.
  ///
  /// The first axis of every shape drawn must then be a multiple of the number of seeds.
  public init(perSample seeds: [UInt64], engine: Engine = .torch, channelsFirst: Bool = false) {
    require(!seeds.isEmpty, "a noise source needs a seed")
    self.engine = engine
    self.channelsFirst = channelsFirst
    streams = seeds.map { NoiseStream(seed: $0, engine: engine) }
  }

  init(engine: Engine, channelsFirst: Bool, streams: [NoiseStream]) {
    self.engine = engine
    self.channelsFirst = channelsFirst
    self.streams = streams
  }

  /// The seeds, one for each stream.
  public var seeds: [UInt64] { streams.map(\.seed) }

  /// The source numbered `index` of the family this one belongs to, at its beginning.
  ///
  /// It depends on the seed and `index` only, not on what was drawn before. For `philox` the
  /// streams are independent and may be nested (`noise.stream(epoch).stream(worker)`); for the
  /// other engines it is the source of seed + `index`, the convention for the images of a batch.
  public func stream(_ index: UInt64) -> NoiseSource {
    NoiseSource(
      perSample: streams.map { $0.seed(ofStream: index, engine: engine) }, engine: engine,
      channelsFirst: channelsFirst)
  }
}

extension NoiseSource {
  /// Independent unit normals, float32.
  public mutating func normal(_ shape: Shape) -> Tensor {
    draw(shape) { stream, engine, out, count in stream.fillNormal(engine, out, count) }
  }

  /// Independent values in [0, 1), float32, in steps of 2⁻²⁴ (`cuda`: 2⁻³²).
  public mutating func uniform(_ shape: Shape) -> Tensor {
    draw(shape) { stream, engine, out, count in stream.fillUniform(engine, out, count) }
  }

  /// Unit normals of `[seeds.count] + shape`: sample k is the first draw of `seeds[k]`.
  public static func normal(
    perSample seeds: [UInt64], _ shape: Shape, engine: Engine = .torch, channelsFirst: Bool = false
  ) -> Tensor {
    var source = NoiseSource(perSample: seeds, engine: engine, channelsFirst: channelsFirst)
    return source.normal(Shape([seeds.count] + shape.dims))
  }

  /// A value in [0, 1) in steps of 2⁻⁵³.
  public mutating func uniform() -> Double { onlyStream { $0.uniform($1) } }

  /// A unit normal in double precision.
  public mutating func normal() -> Double { onlyStream { $0.normal($1) } }

  /// An integer in `0..<bound`, each as likely as the other (the torch engines: up to a bias below
  /// 2⁻⁴, as `torch.randint`).
  public mutating func integer(below bound: Int) -> Int {
    require(bound > 0, "integer below \(bound)")
    return onlyStream { Int($0.integer($1, below: UInt64(bound))) }
  }

  /// `count` integers in `0..<bound`.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    (0..<count).map { _ in integer(below: bound) }
  }

  /// `0..<count` in random order (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    require(count >= 0, "a permutation of \(count)")
    var order = Array(0..<count)
    for i in order.indices.dropLast() {
      order.swapAt(i, i + integer(below: count - i))
    }
    return order
  }

  private mutating func onlyStream<R>(_ body: (inout NoiseStream, Engine) -> R) -> R {
    require(streams.count == 1, "a single number from a source of \(streams.count) streams")
    return body(&streams[0], engine)
  }

  private mutating func draw(
    _ shape: Shape,
    _ fill: (inout NoiseStream, Engine, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    let share = streams.count
    require(
      share == 1 || (shape.rank > 0 && shape[0] % share == 0),
      "noise of shape \(shape) from a source of \(share) streams")
    let count = shape.count / share
    var order = Array(0..<shape.rank)
    if channelsFirst && shape.rank >= 4 { order.insert(order.removeLast(), at: 1) }
    let drawn = Tensor(building: Shape(order.map { shape.dims[$0] })) { out in
      for i in 0..<share where count > 0 {
        fill(&streams[i], engine, out.of(Float.self) + i * count, count)
      }
    }
    // Axis i of the result is where the drawing order has put it.
    return drawn.permuted(shape.dims.indices.map { axis in order.firstIndex(of: axis) ?? axis })
  }
}
