import ArgumentParser
import Ito

/// Numbers that look random, the same in every run.
struct Bytes {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2_685_821_657_736_338_717 &+ 1 }

  mutating func next() -> UInt8 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}

extension RegisteredBackbone {
  /// Height and width of its pictures.
  func benchmarkSide() throws -> Int {
    guard let side = sampleSize, inputChannels == outputChannels else {
      throw ValidationError("the network must name its size and predict one value a channel")
    }
    return side
  }

  /// The classes that benchmarks draw: at most ten, as the peers do.
  var benchmarkClasses: Int { min(classCount ?? 1, 10) }

  /// Conditioning of `batch` samples: labels, or prompts of 4 to `tokens` tokens with their mask, of the
  /// widths that the network's configuration names.
  func benchmarkConditioning(batch: Int, tokens: Int) -> Conditioning {
    if classCount != nil {
      let labels = (0..<batch).map { Int32($0 % benchmarkClasses) }
      return Conditioning(label: Tensor(labels, shape: [batch]))
    }
    guard let text = self as? ConvTransformer else { return Conditioning() }
    let source = NoiseSource(seed: 7, engine: .philox)
    var noise = source.stream(0)
    var result = Conditioning()
    if let features = text.configuration.crossAttentionFeatures {
      result.tokens = noise.normal([batch, tokens, features])
      let least = min(4, tokens)
      let lengths = (0..<batch).map { least + $0 % (tokens - least + 1) }
      result.mask = Tensor(
        lengths.flatMap { length in (0..<tokens).map { $0 < length } }, shape: [batch, tokens])
    }
    if let features = text.configuration.pooledFeatures {
      let pooled = noise.normal([batch, features])
      result.pooled = (1 / Double(features).squareRoot()) * pooled
    }
    return result
  }

  /// This network as a denoiser of the flow from noise (time 1) to data (time 0).
  func flow(_ dtype: DType) -> PreconditionedDenoiser<Self> {
    PreconditionedDenoiser(
      self, schedule: RectifiedFlow(), parameterization: FlowPrediction(), computeType: dtype)
  }
}
