/// The order of the channels that a block of pixels becomes.
public enum BlockOrder: Sendable, Hashable {
  /// Channel c and place (i, j) of the block at `c·size² + i·size + j`: PyTorch's `pixel_shuffle`.
  case channelMajor
  /// Channel c and place (i, j) of the block at `(i·size + j)·channels + c`: the patches of a
  /// vision transformer, TensorFlow's `space_to_depth`.
  case blockMajor
}

extension Tensor {
  /// Blocks of `size`×`size` pixels turned into channels:
  /// `[batch, height, width, channels]` → `[batch, height/size, width/size, channels·size²]`.
  ///
  /// - Source: Shi et al. 2016, *Real-Time Single Image and Video Super-Resolution Using an
  ///   Efficient Sub-Pixel Convolutional Neural Network*, arXiv:1609.05158, Eq. 4, inverted.
  public func spaceToDepth(size: Int, order: BlockOrder = .channelMajor) -> Tensor {
    require(
      shape.rank == 4 && size > 0 && shape[1].isMultiple(of: size) && shape[2].isMultiple(of: size),
      "space to depth: shape \(shape) is not [batch, height, width, channels] in blocks of \(size)")
    let (batch, height, width, channels) = (shape[0], shape[1] / size, shape[2] / size, shape[3])
    // [batch, row, i, column, j, channel]
    return reshaped(to: [batch, height, size, width, size, channels])
      .permuted(order == .channelMajor ? [0, 1, 3, 5, 2, 4] : [0, 1, 3, 2, 4, 5])
      .reshaped(to: [batch, height, width, channels * size * size])
  }

  /// Channels turned into blocks of `size`×`size` pixels, the inverse of ``spaceToDepth(size:order:)``:
  /// `[batch, height, width, channels·size²]` → `[batch, height·size, width·size, channels]`.
  ///
  /// - Source: Shi et al. 2016, arXiv:1609.05158, Eq. 4.
  public func depthToSpace(size: Int, order: BlockOrder = .channelMajor) -> Tensor {
    require(
      shape.rank == 4 && size > 0 && shape[3].isMultiple(of: size * size),
      "depth to space: shape \(shape) is not [batch, height, width, channels] of \(size)² channels")
    let (batch, height, width) = (shape[0], shape[1], shape[2])
    let channels = shape[3] / (size * size)
    let blocks =
      order == .channelMajor
      ? reshaped(to: [batch, height, width, channels, size, size]).permuted(0, 1, 4, 2, 5, 3)
      : reshaped(to: [batch, height, width, size, size, channels]).permuted(0, 1, 3, 2, 4, 5)
    // [batch, row, i, column, j, channel]
    return blocks.reshaped(to: [batch, height * size, width * size, channels])
  }
}
