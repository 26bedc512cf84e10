import ItoDiffusion
import ItoModules
import ItoTensors

/// Two normalised convolutions around a time embedding, added to their input.
///
/// - Source: Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv:2006.11239, appendix B;
///   scale-shift form and resampling inside the block: Dhariwal & Nichol 2021, arXiv:2105.05233, §3.
struct ResidualBlock: Module {
  /// How the time embedding enters.
  enum TimeMode: Sendable { case add, scaleShift }
  /// What happens to the size inside the block.
  enum Resampling: Sendable { case none, up, down }

  var norm1: GroupNorm, conv1: Conv2D, timeProjection: Linear?
  var norm2: GroupNorm, conv2: Conv2D, shortcut: Conv2D?
  let mode: TimeMode, resampling: Resampling, outputScale: Double
  private let identity = LayerIdentity()

  /// - Parameter timeFeatures: width of the time embedding; nil for a block without.
  init(
    _ inChannels: Int, _ outChannels: Int, timeFeatures: Int?, groups: Int, epsilon: Double,
    mode: TimeMode = .add, resampling: Resampling = .none, outputScale: Double = 1,
    _ initial: inout ParameterInitializer
  ) {
    norm1 = GroupNorm(groups: groups, channels: inChannels, epsilon: epsilon, &initial)
    conv1 = Conv2D(inChannels, outChannels, kernel: 3, &initial)
    let embedded = mode == .scaleShift ? 2 * outChannels : outChannels
    timeProjection = timeFeatures.map { Linear($0, embedded, &initial) }
    norm2 = GroupNorm(groups: groups, channels: outChannels, epsilon: epsilon, &initial)
    conv2 = Conv2D(outChannels, outChannels, kernel: 3, zeros: true, &initial)
    shortcut =
      inChannels == outChannels ? nil : Conv2D(inChannels, outChannels, kernel: 1, &initial)
    // A denoiser has attention and linear layers that round as well; the errors of a decoder are its filters' alone.
    conv1.options.allowsLargeTiles = timeFeatures != nil
    conv2.options.allowsLargeTiles = timeFeatures != nil
    self.mode = mode
    self.resampling = resampling
    self.outputScale = outputScale
  }

  private func resampled(_ x: Tensor) -> Tensor {
    switch resampling {
    case .none: x
    case .up: x.resizedNearest(height: 2 * x.shape[1], width: 2 * x.shape[2])
    case .down: x.averagePooled(window: 2)
    }
  }

  /// - Parameters:
  ///   - x: `[batch, height, width, in]`.
  ///   - time: vectors of `timeFeatures`, SiLU already applied: every block of a network uses the same; nil for a
  ///     block without time.
  /// - Returns: `[batch, height', width', out]`.
  func callAsFunction(_ x: consuming Tensor, time: Steering?) -> Tensor {
    // Before the norm, which can then take the place of x: the largest map of a whole decoder.
    let skip = skipConnection(from: x)
    norm1(inPlace: &x, activation: .silu)
    return result(x, time: time, skip: skip)
  }

  private func skipConnection(from x: Tensor) -> Tensor {
    let resized = resampled(x)
    return shortcut?(resized) ?? resized
  }

  /// The same of maps side by side, such as the way up's and a skip connection: where norm and shortcut can read them
  /// as they are, they are never copied together.
  func callAsFunction(_ x: JoinedChannels, time: Steering?) -> Tensor {
    guard x.parts.count > 1, let skip = shortcut?(joining: x.map(resampled)) else {
      return self(x.whole, time: time)
    }
    return result(norm1(x, activation: .silu), time: time, skip: skip)
  }

  /// The block after its first norm; `skip` is added at the end.
  private func result(_ normed: consuming Tensor, time: Steering?, skip: Tensor) -> Tensor {
    var h = conv1(resampled(consume normed))
    if let timeProjection, let time {
      let embedded = time.projected(by: timeProjection, of: identity)
      switch mode {
      case .add: norm2(inPlace: &h, adding: embedded, activation: .silu)
      case .scaleShift:
        let parts = embedded.chunks(2, axis: -1)
        h = norm2.modulated(h, scale: parts[0], shift: parts[1], activation: .silu)
      }
    } else {
      norm2(inPlace: &h, activation: .silu)
    }
    let sum = conv2(h, adding: skip)
    return outputScale == 1 ? sum : sum / outputScale
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("norm1", &norm1)
    try v.child("conv1", &conv1)
    try v.child("time_emb_proj", &timeProjection)
    try v.child("norm2", &norm2)
    try v.child("conv2", &conv2)
    try v.child("conv_shortcut", &shortcut)
  }
}
