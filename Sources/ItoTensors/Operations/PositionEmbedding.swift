extension Tensor {
  /// Sines and cosines of `times` at frequencies from 1 down to about 1/`maxPeriod`.
  ///
  /// With h = dimension/2 the frequencies are `maxPeriod^(−k/(h − downscaleFreqShift))`, k < h. The
  /// result is `[sin(scale·t·f₀), …, cos(scale·t·f₀), …]`, with a zero appended when `dimension` is
  /// odd. Angles are rounded to float32 step by step as diffusers' `get_timestep_embedding` rounds
  /// them, since at t near 1000 that rounding is what the networks were trained with.
  ///
  /// - Parameters:
  ///   - times: shape `[batch]`; may be fractional. Takes no gradient.
  ///   - dimension: features of the result.
  ///   - maxPeriod: the longest period over 2π.
  ///   - flipSinToCos: cosines first.
  ///   - downscaleFreqShift: 1 reaches a frequency of exactly 1/`maxPeriod`, 0 stops one before.
  ///   - scale: factor on the angles.
  /// - Returns: float32 `[batch, dimension]`.
  /// - Source: Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv:2006.11239, App. B,
  ///   after Vaswani et al. 2017, arXiv:1706.03762, §3.5.
  public static func sinusoidalEmbedding(
    times: Tensor, dimension: Int, maxPeriod: Double = 10_000, flipSinToCos: Bool = false,
    downscaleFreqShift: Double = 1, scale: Double = 1
  ) -> Tensor {
    let half = dimension / 2
    require(
      times.shape.rank == 1 && half > 0 && Double(half) != downscaleFreqShift,
      "sinusoidal embedding: times of shape \(times.shape), dimension \(dimension)")
    let rate = Float(-ScalarMath.logarithm(maxPeriod))
    let span = Float(Double(half) - downscaleFreqShift)
    let frequencies = (0..<half).map {
      Float(ScalarMath.exponential(Double(rate * Float($0) / span)))
    }
    var values: [Float] = []
    values.reserveCapacity(times.shape.count * dimension)
    for t in times.scalars {
      let angles = frequencies.map { Double(Float(scale) * (t * $0)) }
      let sines = angles.map { Float(ScalarMath.sine($0)) }
      let cosines = angles.map { Float(ScalarMath.cosine($0)) }
      values += flipSinToCos ? cosines + sines : sines + cosines
      if !dimension.isMultiple(of: 2) { values.append(0) }
    }
    return Tensor(values, shape: [times.shape.count, dimension])
  }

  /// Position embeddings of a grid of patches: the first half of the features encodes the column,
  /// the second the row, each as sines then cosines of `position / 10000^(4k/features)`.
  ///
  /// Positions run from 0 to `baseSize/interpolationScale` whatever the grid, so that a network
  /// trained at one resolution sees the same range at another. Equal to diffusers'
  /// `get_2d_sincos_pos_embed`.
  ///
  /// - Parameters:
  ///   - height: rows of patches.
  ///   - width: columns of patches.
  ///   - features: a multiple of 4.
  ///   - baseSize: patches along a side at the training resolution.
  ///   - interpolationScale: further divisor of positions.
  /// - Returns: float32 `[height·width, features]`, row by row.
  /// - Source: He et al. 2021, *Masked Autoencoders Are Scalable Vision Learners*,
  ///   arXiv:2111.06377, App. A.1; Peebles & Xie 2022, arXiv:2212.09748, §3.2.
  public static func sinCosPositions(
    height: Int, width: Int, features: Int, baseSize: Int = 16, interpolationScale: Double = 1
  ) -> Tensor {
    require(
      features > 0 && features.isMultiple(of: 4) && height > 0 && width > 0 && baseSize > 0,
      "position table: \(height)×\(width) patches, \(features) features, base size \(baseSize)")
    let quarter = features / 4
    func encoded(_ count: Int) -> [[Float]] {
      let spacing = Float(Double(count) / Double(baseSize))
      return (0..<count).map { i in
        let position = Double(Float(i) / spacing / Float(interpolationScale))
        let angles = (0..<quarter).map {
          position / ScalarMath.power(10_000, Double($0) / Double(quarter))
        }
        return angles.map { Float(ScalarMath.sine($0)) }
          + angles.map { Float(ScalarMath.cosine($0)) }
      }
    }
    let (rows, columns) = (encoded(height), encoded(width))
    return Tensor(
      rows.flatMap { row in columns.flatMap { $0 + row } }, shape: [height * width, features])
  }
}
