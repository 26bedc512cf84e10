/// The same steps as `DDPMScheduler`, prepared there for many at once.
enum DDPMParallelScheduler: DiffusersScheduler {
  static let className = "DDPMParallelScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try DDPMScheduler.configuration(&settings)
  }
}
