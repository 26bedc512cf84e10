#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

enum IPNDMScheduler: DiffusersScheduler {
  static let className = "IPNDMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    if try settings.doubles("trained_betas") != nil {
      throw settings.unsupported("trained_betas", "a list")
    }
    _ = try settings.timesteps()
    return SamplerConfiguration(
      schedule: TrigonometricFlow(dataDeviation: 1), parameterization: BlindAtPureNoise(),
      spacing: SquaredSines(), solver: IPNDM())
  }
}

/// Networks that predict v, told the time, whose output is not used where the sample is pure noise: there
/// the scheduler takes the noise estimate alone.
private struct BlindAtPureNoise: Parameterization {
  let base = VPrediction(time: .scaled(1))

  func preconditioning(at level: NoiseLevel) -> Preconditioning {
    var result = base.preconditioning(at: level)
    if level.alpha == 0 { (result.skip, result.output) = (0, 0) }
    return result
  }

  func target(at level: NoiseLevel) -> TrainingTarget { base.target(at: level) }
}

/// Sigma is the squared sine of an angle in equal steps: finer at both ends.
///
/// In float32 like that scheduler, since alpha is what is left of 1.
private struct SquaredSines: StepSpacing {
  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    let fractions = AlphaBarTable.linspace(1, 0, count + 1).prefix(count)
    return fractions.map { fraction in
      let root = sinf(fraction * Float.pi / 2)
      let sigma = root * root
      let alpha = (1 - sigma * sigma).squareRoot()
      let time = Double(atan2f(sigma, alpha)) / (Double.pi / 2)
      return NoiseLevel(time: time, alpha: Double(alpha), sigma: Double(sigma))
    } + [.clean]
  }
}
