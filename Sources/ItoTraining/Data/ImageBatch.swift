public import ItoDiffusion
public import ItoTensors

/// Pictures, or latents of pictures, for one forward pass, with what is known about them.
public struct ImageBatch: Sendable {
  /// `[batch, height, width, channels]`, pictures in −1…1, float32 or bfloat16.
  public var images: Tensor
  /// The class of each picture, empty when there are none.
  public var labels: [Int32]
  /// The caption of each picture, empty when there are none.
  public var captions: [String]
  /// Encoded captions and the like; the labels are added by `fullConditioning`.
  public var conditioning: Conditioning

  /// A batch of `images`.
  public init(
    images: Tensor, labels: [Int32] = [], captions: [String] = [],
    conditioning: Conditioning = Conditioning()
  ) {
    self.images = images
    self.labels = labels
    self.captions = captions
    self.conditioning = conditioning
  }

  /// Number of pictures.
  public var count: Int { images.shape[0] }

  /// The conditioning with the labels, where there are any.
  public var fullConditioning: Conditioning {
    var result = conditioning
    if !labels.isEmpty { result.label = Tensor(labels, shape: [labels.count]) }
    return result
  }
}
