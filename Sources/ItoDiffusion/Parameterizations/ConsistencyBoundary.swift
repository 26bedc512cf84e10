/// A network's estimate made to equal the sample itself where there is no noise, as latent consistency
/// models are distilled: `clean = c_out·estimate + c_skip·x`.
///
/// With s the timestep times `scaling`: `c_skip = d²/(s² + d²)`, `c_out = s/√(s² + d²)`.
/// - Source: Luo et al. 2023, *Latent Consistency Models*, arXiv:2310.04378, equation 9 and its published
///   code.
struct ConsistencyBoundary: Parameterization {
  /// What the network predicts.
  let base: any Parameterization
  /// Timesteps of the schedule.
  let timesteps: Int
  /// What timesteps are multiplied by.
  let scaling: Double
  /// d.
  var dataDeviation = 0.5

  /// c_skip and c_out.
  private func weights(_ level: NoiseLevel) -> (skip: Double, output: Double) {
    let s = scaling * (level.time * Double(timesteps) - 1).rounded()
    let squared = s * s + dataDeviation * dataDeviation
    return (dataDeviation * dataDeviation / squared, s / squared.squareRoot())
  }

  func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let (skip, output) = weights(level)
    var result = base.preconditioning(at: level)
    result.skip = output * result.skip + skip
    result.output *= output
    return result
  }

  /// What the base's output should be: away from timestep 0, where the network has no say, the boundary
  /// changes the estimate by less than 0.3 %.
  func target(at level: NoiseLevel) -> TrainingTarget { base.target(at: level) }
}
