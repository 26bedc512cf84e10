import ItoDiffusion
import ItoModules
import ItoTensors

/// What attends at a level of a U-Net: to the other pixels, to a prompt.
protocol FeatureMapAttention: Module {
  /// `[batch, height, width, channels]` to the same shape.
  func callAsFunction(
    _ x: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor
}

/// Where an attention stands in a U-Net.
enum UNetPlace {
  /// On the way down or up at a level, after its i-th residual block.
  case down(level: Int, layer: Int), up(level: Int, layer: Int)
  /// In the middle.
  case middle
}

/// The residual blocks and changes of size of a U-Net.
struct UNetPlan {
  /// Channels of each level, finest first.
  var widths: [Int]
  /// Residual blocks on the way down at each level; one more on the way up.
  var layers: [Int]
  /// Features of the time embedding.
  var timeFeatures: Int
  /// Groups and epsilon of the group norms.
  var groups: Int, epsilon: Double
  /// How the time embedding enters.
  var mode: ResidualBlock.TimeMode
  /// Which levels change size by residual blocks.
  var downResidual: [Bool], upResidual: [Bool]
  /// Zeros around the input of down-sampling convolutions: 1, or 0 for below and right only.
  var downsamplePadding: Int
  /// Residual blocks in the middle, each but the first after an attention; none for no middle.
  var middleBlocks: Int
  /// Divides the sums of the middle's residual blocks.
  var middleScale: Double
  /// Divides the sums of residual blocks at levels that change size by them.
  var residualScale = 1.0

  func block(
    _ inChannels: Int, _ outChannels: Int, _ resampling: ResidualBlock.Resampling = .none,
    scale: Double = 1, _ initial: inout ParameterInitializer
  ) -> ResidualBlock {
    ResidualBlock(
      inChannels, outChannels, timeFeatures: timeFeatures, groups: groups, epsilon: epsilon,
      mode: mode, resampling: resampling, outputScale: scale, &initial)
  }
}

/// The levels of a U-Net, written recursively: down, everything deeper, up.
///
/// - Cache sites: `.subtree(level:)`, everything below a level.
struct UNetTrunk<Attention: FeatureMapAttention>: Module {
  private var levels: [UNetLevel<Attention>]
  private var middle: UNetMiddle<Attention>?

  /// - Parameter attention: makes what attends at a place of the given channels, nil for nothing.
  init(
    _ plan: UNetPlan, _ initial: inout ParameterInitializer,
    attention: (UNetPlace, Int, inout ParameterInitializer) -> Attention?
  ) {
    levels = plan.widths.indices.map { UNetLevel(plan, $0, &initial, attention) }
    middle = plan.middleBlocks > 0 ? UNetMiddle(plan, &initial, attention) : nil
  }

  /// - Parameters:
  ///   - x: `[batch, height, width, widths[0]]`.
  ///   - time: vectors of `timeFeatures`, SiLU applied.
  ///   - residuals: what a ControlNet adds to the skip connections and the middle.
  /// - Returns: the shape of `x`.
  func callAsFunction(
    _ x: Tensor, time: Steering, conditioning: Conditioning, context: EvaluationContext,
    residuals: ControlResiduals? = nil
  ) -> Tensor {
    Pass(
      trunk: self, time: time, conditioning: conditioning, context: context, residuals: residuals
    ).descend(0, x, skipsAbove: 0)
  }

  /// What does not change on the way through the levels.
  private struct Pass {
    let trunk: UNetTrunk
    let time: Steering, conditioning: Conditioning, context: EvaluationContext
    let residuals: ControlResiduals?

    /// The part at `level` and below.
    func descend(_ level: Int, _ x: Tensor, skipsAbove: Int) -> Tensor {
      let part = trunk.levels[level]
      var skips = [x]
      for i in part.down.indices {
        let h = part.down[i](skips[i], time: time)
        skips.append(attended(h, part.downAttention[i]))
      }
      let last = skips[skips.count - 1]
      if let residuals {
        for i in skips.indices { skips[i] = skips[i] + residuals.skips[skipsAbove + i] }
      }
      var h: Tensor
      if let downsampler = part.downsampler {
        let below = skipsAbove + skips.count
        h = context.run(.subtree(level: level + 1), on: last) { inner in
          let result = descend(level + 1, downsampler(inner, time: time), skipsAbove: below)
          guard let upsampler = trunk.levels[level + 1].upsampler else { return result }
          return upsampler(result, time: time, size: (inner.shape[1], inner.shape[2]))
        }
      } else {
        h = trunk.middle?(last, time, conditioning, context) ?? last
        if let residuals { h = h + residuals.middle }
      }
      for i in part.up.indices {
        h = part.up[i](JoinedChannels([h, skips.removeLast()]), time: time)
        h = attended(h, part.upAttention[i])
      }
      return h
    }

    private func attended(_ x: Tensor, _ attention: Attention?) -> Tensor {
      attention?(x, conditioning: conditioning, context: context) ?? x
    }
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    for i in levels.indices {
      try v.scope("down_blocks.\(i)") { v throws(V.Failure) in try levels[i].visitDown(&v) }
    }
    try v.child("mid_block", &middle)
    for i in levels.indices.reversed() {
      try v.scope("up_blocks.\(levels.count - 1 - i)") { v throws(V.Failure) in
        try levels[i].visitUp(&v)
      }
    }
  }
}

/// One resolution of the network, on the way down and on the way up.
private struct UNetLevel<Attention: FeatureMapAttention>: Sendable {
  var down: [ResidualBlock] = [], downAttention: [Attention?] = []
  var up: [ResidualBlock] = [], upAttention: [Attention?] = []
  /// To the next coarser level; nil at the coarsest.
  var downsampler: Resampler?
  /// To the next finer level; nil at the finest.
  var upsampler: Resampler?

  init(
    _ plan: UNetPlan, _ level: Int, _ initial: inout ParameterInitializer,
    _ attention: (UNetPlace, Int, inout ParameterInitializer) -> Attention?
  ) {
    let widths = plan.widths
    let width = widths[level], entering = level == 0 ? width : widths[level - 1]
    let deeper = level + 1 < widths.count ? widths[level + 1] : width
    let layers = plan.layers[level]
    let downScale = plan.downResidual[level] ? plan.residualScale : 1
    let upScale = plan.upResidual[level] ? plan.residualScale : 1
    for i in 0..<layers {
      down.append(plan.block(i == 0 ? entering : width, width, scale: downScale, &initial))
      downAttention.append(attention(.down(level: level, layer: i), width, &initial))
    }
    for i in 0...layers {
      let inside = (i == 0 ? deeper : width) + (i == layers ? entering : width)
      up.append(plan.block(inside, width, scale: upScale, &initial))
      upAttention.append(attention(.up(level: level, layer: i), width, &initial))
    }
    if level + 1 < widths.count {
      downsampler =
        plan.downResidual[level]
        ? .residual(plan.block(width, width, .down, scale: downScale, &initial))
        : .convolution(
          up: false, channels: width, padding: plan.downsamplePadding, &initial)
    }
    if level > 0 {
      upsampler =
        plan.upResidual[level]
        ? .residual(plan.block(width, width, .up, scale: upScale, &initial))
        : .convolution(up: true, channels: width, &initial)
    }
  }

  mutating func visitDown<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("resnets", &down)
    try v.optionalChildren("attentions", &downAttention)
    guard var sampler = downsampler.take() else { return }
    defer { downsampler = sampler }
    try v.scope("downsamplers.0") { v throws(V.Failure) in try sampler.visit(&v) }
  }

  mutating func visitUp<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("resnets", &up)
    try v.optionalChildren("attentions", &upAttention)
    guard var sampler = upsampler.take() else { return }
    defer { upsampler = sampler }
    try v.scope("upsamplers.0") { v throws(V.Failure) in try sampler.visit(&v) }
  }
}

/// Residual blocks with attention between them, at the coarsest resolution.
private struct UNetMiddle<Attention: FeatureMapAttention>: Module {
  var resnets: [ResidualBlock], attentions: [Attention?]

  init(
    _ plan: UNetPlan, _ initial: inout ParameterInitializer,
    _ attention: (UNetPlace, Int, inout ParameterInitializer) -> Attention?
  ) {
    let width = plan.widths[plan.widths.count - 1]
    resnets = (0..<plan.middleBlocks).map { _ in
      plan.block(width, width, scale: plan.middleScale, &initial)
    }
    attentions = resnets.dropFirst().map { _ in attention(.middle, width, &initial) }
  }

  func callAsFunction(
    _ x: Tensor, _ time: Steering, _ conditioning: Conditioning, _ context: EvaluationContext
  ) -> Tensor {
    var h = resnets[0](x, time: time)
    for (attention, block) in zip(attentions, resnets.dropFirst()) {
      h = block(attention?(h, conditioning: conditioning, context: context) ?? h, time: time)
    }
    return h
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.optionalChildren("attentions", &attentions)
    try v.children("resnets", &resnets)
  }
}

extension ModuleVisitor {
  /// Visits those of `modules` that are there as `name.0`, `name.1`, …, by their places.
  fileprivate mutating func optionalChildren<M: Module>(
    _ name: String, _ modules: inout [M?]
  ) throws(Failure) {
    path.components.append(name)
    defer { path.components.removeLast() }
    for i in modules.indices { try child(String(i), &modules[i]) }
  }
}
