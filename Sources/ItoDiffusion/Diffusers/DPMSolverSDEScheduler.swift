/// Differs: the noise is that of the run's streams, not of a Brownian tree with a seed of its own.
enum DPMSolverSDEScheduler: DiffusersScheduler {
  static let className = "DPMSolverSDEScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    _ = try settings.double("noise_sampler_seed")
    return try settings.sigmaSampler(start: 0.00085, end: 0.012, solver: DPMSolverPlusPlusSDE())
  }
}
