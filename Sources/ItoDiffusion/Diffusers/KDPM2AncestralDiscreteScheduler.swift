enum KDPM2AncestralDiscreteScheduler: DiffusersScheduler {
  static let className = "KDPM2AncestralDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.sigmaSampler(
      start: 0.00085, end: 0.012, solver: DPM2(renewal: Renewal(eta: 1)), roundsKarras: true)
  }
}
