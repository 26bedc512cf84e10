public import ItoTensors

/// Pictures for one forward pass, with what is known about them.
public struct ImageBatch: Sendable {
  /// `[batch, height, width, channels]` in −1…1, float32 or bfloat16.
  public var images: Tensor
  /// The class of each picture, empty when there are none.
  public var labels: [Int32]
  /// The caption of each picture, empty when there are none.
  public var captions: [String]

  /// A batch of `images` in −1…1.
  public init(images: Tensor, labels: [Int32] = [], captions: [String] = []) {
    self.images = images
    self.labels = labels
    self.captions = captions
  }

  /// Number of pictures.
  public var count: Int { images.shape[0] }
}
