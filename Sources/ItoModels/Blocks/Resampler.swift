import ItoDiffusion
import ItoModules
import ItoTensors

/// The change of size between two levels of a U-Net: a convolution, or a whole residual block.
struct Resampler: Module {
  private var conv: Conv2D?
  private var block: ResidualBlock?
  private let isUp: Bool
  private let padsAfter: Bool

  /// A 3×3 convolution: of stride 2 (down), or after doubling the pixels (up).
  ///
  /// - Parameter padding: 1, or 0 for one row and column of zeros below and right only.
  static func convolution(
    up: Bool, channels: Int, padding: Int = 1, _ initial: inout ParameterInitializer
  ) -> Resampler {
    let conv = Conv2D(
      channels, channels, kernel: 3, stride: up ? 1 : 2, padding: up ? 1 : padding, &initial)
    return Resampler(conv: conv, block: nil, isUp: up, padsAfter: !up && padding == 0)
  }

  /// A residual block that resamples inside.
  static func residual(_ block: ResidualBlock) -> Resampler {
    Resampler(conv: nil, block: block, isUp: block.resampling == .up, padsAfter: false)
  }

  private init(conv: Conv2D?, block: ResidualBlock?, isUp: Bool, padsAfter: Bool) {
    self.conv = conv
    self.block = block
    self.isUp = isUp
    self.padsAfter = padsAfter
    if padsAfter { self.conv?.options.padding = (0, 1, 0, 1) }
  }

  /// The convolution, of stride 2 or to follow the doubling of pixels; nil for a residual block.
  var convolution: Conv2D? { conv }

  /// - Parameter size: height and width to reach when going up, so that odd sizes come back exactly.
  func callAsFunction(
    _ x: Tensor, time: Steering?, size: (height: Int, width: Int)? = nil
  ) -> Tensor {
    if let block { return block(x, time: time) }
    guard let conv else { return x }
    guard isUp else { return conv(x) }
    let doubled = (height: 2 * x.shape[1], width: 2 * x.shape[2])
    let size = size ?? doubled
    if size == doubled { return conv(x, doubled: true) }
    return conv(x.resizedNearest(height: size.height, width: size.width))
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv", &conv)
    if var inner = block.take() {
      defer { block = inner }
      try inner.visit(&v)
    }
  }
}
