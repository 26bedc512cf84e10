/// How a 2-D convolution moves over its input.
public struct ConvolutionOptions: Sendable, Hashable {
  /// Step in rows and columns.
  public var stride: (height: Int, width: Int) {
    get { (sh, sw) }
    set { (sh, sw) = newValue }
  }
  /// Zeros added above, below, left and right.
  public var padding: (top: Int, bottom: Int, left: Int, right: Int) {
    get { (pt, pb, pl, pr) }
    set { (pt, pb, pl, pr) = newValue }
  }
  /// Distance between kernel taps, 1 for a dense kernel.
  public var dilation: (height: Int, width: Int) {
    get { (dh, dw) }
    set { (dh, dw) = newValue }
  }
  /// Groups of channels convolved apart; as many as channels is a depthwise convolution.
  public var groups: Int
  /// Every pixel of the input counts as two by two: the input is enlarged by its nearest pixels before it is
  /// padded. Where minimal filtering pays the large input is never made.
  public var doubles = false
  /// In pairs of bfloat16, minimal filtering may take tiles of 4 by 4 outputs, which are up to half as quick again and round
  /// more: the result is within 1.5e-2 of its sum, not 6e-3. Without effect where pairs are not multiplied.
  public var allowsLargeTiles = false

  // Stored apart because tuples are not Hashable.
  private var sh: Int, sw: Int, pt: Int, pb: Int, pl: Int, pr: Int, dh: Int, dw: Int

  /// The same stride, padding and dilation in both directions.
  public init(stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1) {
    self.groups = groups
    (sh, sw, dh, dw) = (stride, stride, dilation, dilation)
    (pt, pb, pl, pr) = (padding, padding, padding, padding)
  }

  /// The same of an input that was enlarged before.
  var undoubled: ConvolutionOptions {
    var plain = self
    plain.doubles = false
    return plain
  }

  /// Output size for an input, before it is enlarged, and a kernel of the given sizes.
  public func outputSize(
    height: Int, width: Int, kernelHeight: Int, kernelWidth: Int
  ) -> (height: Int, width: Int) {
    let (height, width) = doubles ? (2 * height, 2 * width) : (height, width)
    return (
      (height + pt + pb - dh * (kernelHeight - 1) - 1) / sh + 1,
      (width + pl + pr - dw * (kernelWidth - 1) - 1) / sw + 1
    )
  }
}
