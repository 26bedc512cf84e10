public import ItoDiffusion
public import ItoTensors

// What the U-Nets of Stable Diffusion and its kin are told beside time and prompt. A pipeline puts it
// into `Conditioning` under these keys: `conditioning[ImageSizes.self] = …`.

/// SDXL's sizes: `[batch, 6]` floats, height and width of the original, top and left of the crop, height
/// and width of the target; the refiner has `[batch, 5]`, original, crop and aesthetic score. The pooled
/// prompt goes into `Conditioning.pooled`.
public enum ImageSizes: ConditioningKey {
  /// The numbers.
  public typealias Value = Tensor
}

/// The guidance scale that a guidance-distilled network is told, as an embedding `[batch, features]`;
/// see `embedding(scale:features:)`.
public enum GuidanceEmbedding: ConditioningKey {
  /// The embedding.
  public typealias Value = Tensor

  /// The sinusoidal embedding of one guidance scale, `[1, features]`: of `1000·(scale − 1)`, sines before
  /// cosines.
  ///
  /// - Source: Luo et al. 2023, *Latent Consistency Models*, arXiv:2310.04378, §4.4; the number is the
  ///   scale of `(1 + w)·conditional − w·unconditional`, w, times a thousand.
  public static func embedding(scale: Double, features: Int) -> Tensor {
    Tensor.sinusoidalEmbedding(
      times: Tensor([Float((scale - 1) * 1000)], shape: [1]), dimension: features,
      flipSinToCos: false, downscaleFreqShift: 1)
  }
}

/// A class given as a vector `[batch, features]`: an embedding of a picture, say.
public enum ClassVector: ConditioningKey {
  /// The vector.
  public typealias Value = Tensor
}

/// What a ControlNet adds inside a U-Net.
public struct ControlResiduals: ConditioningValue {
  /// For each skip connection, in the order they are made: after the first convolution, after each
  /// block on the way down, after each change of size. `[batch, height, width, channels]`.
  public var skips: [Tensor]
  /// For the middle.
  public var middle: Tensor

  /// Residuals for every skip connection and the middle.
  public init(skips: [Tensor], middle: Tensor) {
    self.skips = skips
    self.middle = middle
  }

  /// Number of samples.
  public var batchCount: Int { middle.batchCount }

  /// The samples of all `values`; nil when they are of different networks.
  public static func batched(_ values: [ControlResiduals]) -> ControlResiduals? {
    guard let first = values.first, values.allSatisfy({ $0.skips.count == first.skips.count }),
      let middle = Tensor.batched(values.map(\.middle))
    else { return nil }
    let skips = first.skips.indices.compactMap { i in Tensor.batched(values.map { $0.skips[i] }) }
    guard skips.count == first.skips.count else { return nil }
    return ControlResiduals(skips: skips, middle: middle)
  }

  /// The one sample `count` times.
  public func repeated(_ count: Int) -> ControlResiduals {
    ControlResiduals(skips: skips.map { $0.repeated(count) }, middle: middle.repeated(count))
  }
}

/// The key of `ControlResiduals`.
public enum Control: ConditioningKey {
  /// The residuals.
  public typealias Value = ControlResiduals
}
