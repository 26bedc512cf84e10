/// The same steps as `DDIMScheduler`, prepared there for many at once.
enum DDIMParallelScheduler: DiffusersScheduler {
  static let className = "DDIMParallelScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try DDIMScheduler.configuration(&settings)
  }
}
