import ItoCKernels

/// Mean and variance of each group of a map's channels, gathered over parts of the map, so that the map need not exist
/// whole to be normalised.
///
/// - Source: the pairwise update is Chan, Golub & LeVeque 1979, *Updating formulae and a pairwise algorithm for
///   computing sample variances*, eq. 2.1.
public struct GroupMoments: Sendable {
  private var pixels = 0.0
  fileprivate var mean: [Double], variance: [Double]

  /// Of nothing yet.
  public init(groups: Int) {
    require(groups >= 1, "moments of \(groups) groups of channels")
    mean = [Double](repeating: 0, count: groups)
    variance = mean
  }

  /// Takes all positions of `part`, `[…, channels]`, into account. No gradient flows to it.
  public mutating func add(_ part: Tensor) {
    let groups = mean.count, x = part.inRowType
    let channels = x.shape.rank >= 1 ? x.shape[-1] : 0
    require(
      channels > 0 && channels % groups == 0, "moments of \(groups) groups of \(part.shape)")
    let count = x.shape.count / channels
    guard count > 0 else { return }
    let ofMean = Tensor(uninitialized: [groups])
    let ofVariance = Tensor(building: [groups]) { variance in
      reading(x, ofMean) { px, mean in
        ito_group_moments(
          px, x.dtype.rawValue, 1, Int64(count), Int64(channels), Int64(groups),
          UnsafeMutableRawPointer(mutating: mean).of(Float.self), variance.of(Float.self))
      }
    }
    let own = Double(count), total = pixels + own
    for (g, (m, v)) in zip(ofMean.scalars, ofVariance.scalars).enumerated() {
      let difference = Double(m) - mean[g]
      let between = difference * difference * pixels * own / total
      variance[g] = (variance[g] * pixels + Double(v) * own + between) / total
      mean[g] += difference * own / total
    }
    pixels = total
  }
}

extension Tensor {
  /// Becomes its `groupNorm` by moments that are known, as those of the map that it is a part of. It is written where it
  /// lies; where something else holds the buffer it is copied first. No gradient flows.
  ///
  /// - Parameters:
  ///   - weight: `[channels]`, or nil for 1.
  ///   - bias: `[channels]`, or nil for 0.
  public mutating func formGroupNorm(
    by moments: GroupMoments, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5,
    activation: Activation? = nil
  ) {
    let groups = moments.mean.count, channels = shape.rank >= 1 ? shape[-1] : 0
    require(
      channels > 0 && channels % groups == 0 && (weight == nil || weight?.shape == [channels])
        && (bias == nil || bias?.shape == [channels]),
      "groupNorm: \(shape) by moments of \(groups) groups, "
        + "weight \(weight?.shape.description ?? "none"), "
        + "bias \(bias?.shape.description ?? "none")"
    )
    let (weight, bias) = (weight?.cast(to: .float32), bias?.cast(to: .float32))
    let mean = moments.mean.map { Float($0) }, variance = moments.variance.map { Float($0) }
    let (type, count) = (dtype, shape.count / channels)
    self = inRowType.detached()
    let rowType = dtype.rawValue
    profiled(#fileID, writing: byteCount) {
      updateBytes { bytes in
        readingOptional(weight) { weight in
          readingOptional(bias) { bias in
            ito_group_norm_by_moments(
              bytes, rowType, weight?.of(Float.self), bias?.of(Float.self), 1, Int64(count),
              Int64(channels), Int64(groups), mean, variance, Float(epsilon),
              activation == .silu ? 1 : 0, bytes)
          }
        }
      }
    }
    if let activation, activation != .silu { self = activated(by: activation) }
    self = cast(to: type)
  }
}
