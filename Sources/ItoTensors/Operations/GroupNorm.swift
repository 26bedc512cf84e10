import ItoCKernels

extension Tensor {
  /// Group normalisation of `[batch, …, channels]`, with what often surrounds it in the same pass: a
  /// vector added to each sample before, and a SiLU after.
  ///
  /// `(x + offset − mean) / √(variance + ε) · weight + bias`, the statistics taken over each group of
  /// neighbouring channels and all positions of a sample, in float32.
  ///
  /// - Parameters:
  ///   - groups: divides the channels.
  ///   - weight: `[channels]`, `[batch, channels]` for one a sample, or nil for 1.
  ///   - bias: the same, or nil for 0.
  ///   - offset: `[batch, channels]`, such as the embedding of the time; nil for 0.
  ///   - activation: `.silu` or nil are done in the same pass, others after it.
  /// - Returns: the shape and element type of `self`.
  /// - Cost: reads twice, writes once; backward reads both inputs twice, and once more for the offset.
  /// - Source: Wu & He 2018, *Group Normalization*, arXiv:1803.08494.
  public func groupNorm(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, offset: Tensor? = nil,
    epsilon: Double = 1e-5, activation: Activation? = nil
  ) -> Tensor {
    JoinedChannels([self]).groupNorm(
      groups: groups, weight: weight, bias: bias, offset: offset, epsilon: epsilon,
      activation: activation)
  }

  /// Becomes its `groupNorm`, with the same bits. It is written where it lies, without memory for another map, unless
  /// something else holds the buffer, gradients are recorded, or the kernels have no such type or activation.
  public mutating func formGroupNorm(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, offset: Tensor? = nil,
    epsilon: Double = 1e-5, activation: Activation? = nil
  ) {
    let isTracked = [self, weight, bias, offset].contains { $0?.isTracked == true }
    let isKernels =
      (dtype == .float32 || dtype == .bfloat16) && (activation == nil || activation == .silu)
    guard ownsBytes(), !isTracked, isKernels else {
      self = groupNorm(
        groups: groups, weight: weight, bias: bias, offset: offset, epsilon: epsilon,
        activation: activation)
      return
    }
    let pass = GroupNormPass(
      JoinedChannels([self]), groups: groups, weight: weight, bias: bias, offset: offset,
      epsilon: epsilon, activates: activation == .silu)
    storage.dropAttachment()
    profiled(#fileID, writing: byteCount) { _ = pass.write(to: storage.base) }
  }
}

extension JoinedChannels {
  /// `Tensor.groupNorm` of the concatenation, with the same bits: statistics are taken over the parts where they lie, and
  /// the normalised channels written side by side. While gradients are recorded the concatenation is made.
  public func groupNorm(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, offset: Tensor? = nil,
    epsilon: Double = 1e-5, activation: Activation? = nil
  ) -> Tensor {
    if let activation, activation != .silu {
      return groupNorm(
        groups: groups, weight: weight, bias: bias, offset: offset, epsilon: epsilon
      ).activated(by: activation)
    }
    let isTracked = (parts + [weight, bias, offset].compactMap { $0 }).contains(where: \.isTracked)
    let pass = GroupNormPass(
      isTracked ? joined : self, groups: groups, weight: weight, bias: bias, offset: offset,
      epsilon: epsilon, activates: activation == .silu)
    return pass.forward().cast(to: dtype)
  }
}

/// One call of the group norm kernels: what they read, and the statistics they leave for the gradient, which is of one
/// part.
private struct GroupNormPass {
  var x: [Tensor], weight: Tensor?, bias: Tensor?, offset: Tensor?
  let groups: Int
  let affine: Shape
  let epsilon: Double
  let activates: Bool

  init(
    _ x: JoinedChannels, groups: Int, weight: Tensor?, bias: Tensor?, offset: Tensor?,
    epsilon: Double, activates: Bool
  ) {
    let shape = x.shape
    let channels = shape.rank >= 2 ? shape[-1] : 0
    let own: Shape = [shape.rank >= 2 ? shape[0] : 0, channels]
    affine = weight?.shape ?? bias?.shape ?? [channels]
    require(
      channels > 0 && groups >= 1 && channels % groups == 0
        && (affine == [channels] || affine == own)
        && (weight == nil || weight?.shape == affine) && (bias == nil || bias?.shape == affine)
        && (offset == nil || offset?.shape == own),
      "groupNorm: \(shape) in \(groups) groups, weight \(weight?.shape.description ?? "none"), "
        + "bias \(bias?.shape.description ?? "none"), "
        + "offset \(offset?.shape.description ?? "none")")
    self.x = x.parts.map(\.inRowType)
    self.weight = weight?.cast(to: .float32)
    self.bias = bias?.cast(to: .float32)
    self.offset = offset?.cast(to: .float32)
    self.groups = groups
    self.epsilon = epsilon
    self.activates = activates
  }

  var shape: Shape { JoinedChannels(x).shape }
  var batch: Int { shape[0] }
  var channels: Int { shape[-1] }
  var pixels: Int { shape.count / Swift.max(1, batch * channels) }
  var hasOwnAffine: Int32 { affine.rank == 2 ? 1 : 0 }

  private func readingParameters(
    _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
  ) {
    readingOptional(offset) { offset in
      readingOptional(weight) { weight in
        readingOptional(bias) { bias in
          body(offset?.of(Float.self), weight?.of(Float.self), bias?.of(Float.self))
        }
      }
    }
  }

  private func readingChannels(_ body: (UnsafePointer<ito_channels>?, Int64) -> Void) {
    for part in x { ito_profile_read(Int64(part.byteCount)) }
    let list = x.map { ito_channels(data: $0.storage.base, channels: Int64($0.shape[-1])) }
    withExtendedLifetime(x) {
      list.withUnsafeBufferPointer { body($0.baseAddress, Int64($0.count)) }
    }
  }

  /// Writes the result and gives the statistics, each `[batch, groups]`.
  func write(to out: UnsafeMutableRawPointer) -> (mean: Tensor, rstd: Tensor) {
    let mean = Tensor(uninitialized: [batch, groups]),
      rstd = Tensor(uninitialized: [batch, groups])
    reading(mean, rstd) { pm, pr in
      readingChannels { x, count in
        readingParameters { offset, weight, bias in
          ito_group_norm(
            x, count, self.x[0].dtype.rawValue, offset, weight, bias, hasOwnAffine, Int64(batch),
            Int64(pixels), Int64(groups), Float(epsilon), activates ? 1 : 0, out,
            UnsafeMutableRawPointer(mutating: pm).of(Float.self),
            UnsafeMutableRawPointer(mutating: pr).of(Float.self))
        }
      }
    }
    return (mean, rstd)
  }

  func forward() -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: x[0].dtype)
    let (mean, rstd) = profiled(#fileID, writing: result.byteCount) {
      write(to: result.storage.base)
    }
    var saved = self
    saved.x = x.map { $0.detached() }
    saved.weight = weight?.detached()
    saved.bias = bias?.detached()
    saved.offset = offset?.detached()
    return result.recorded(from: x + [weight, bias, offset].compactMap { $0 }) {
      [saved] g in saved.gradients(of: saved.x[0], g, mean, rstd)
    }
  }

  /// Of x, then of those of weight, bias and offset that there are.
  private func gradients(
    of x: Tensor, _ g: Tensor, _ mean: Tensor, _ rstd: Tensor
  ) -> [Tensor] {
    let dw = Tensor(uninitialized: affine), db = Tensor(uninitialized: affine)
    let dx = Tensor(building: x.shape, dtype: x.dtype) { out in
      reading(x, g, mean, rstd) { px, pg, pm, pr in
        readingParameters { offset, weight, bias in
          reading(dw, db) { dw, db in
            ito_group_norm_gradient(
              px, pg, x.dtype.rawValue, offset, weight, bias, hasOwnAffine, Int64(batch),
              Int64(pixels), Int64(channels), Int64(groups), activates ? 1 : 0, pm.of(Float.self),
              pr.of(Float.self), out, UnsafeMutableRawPointer(mutating: dw).of(Float.self),
              UnsafeMutableRawPointer(mutating: db).of(Float.self))
          }
        }
      }
    }
    var result = [dx]
    if weight != nil { result.append(dw) }
    if bias != nil { result.append(db) }
    if offset != nil {
      let sums = dx.reshaped(to: [batch, pixels, channels]).cast(to: .float32).sum(axes: [1])
      result.append(sums)
    }
    return result
  }
}
