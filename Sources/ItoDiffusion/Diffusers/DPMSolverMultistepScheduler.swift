enum DPMSolverMultistepScheduler: DiffusersScheduler {
  static let className = "DPMSolverMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
    try settings.requireFixedVariance()
    return try settings.logSNRSampler(
      solver: try multistepSolver(&settings).limited(to: limit), final: try settings.finalLevel(),
      roundsCosine: false
    ) { (settings) throws(SamplingError) in try settings.multistepFlow() }
  }

  /// The solver that the settings ask for.
  static func multistepSolver(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> any Solver {
    let (prediction, eta) = try settings.algorithm()
    let variant = try settings.differenceWeight()
    let lowersFinalOrder = try settings.bool("lower_order_final", default: true)
    let endsWithEuler = try settings.bool("euler_at_final")
    let order = try settings.order()
    if order == 2, prediction == .clean, eta == 0 {
      return DPMSolverPlusPlus2M(
        variant: variant, lowersFinalOrder: lowersFinalOrder, endsWithEuler: endsWithEuler)
    }
    return DPMSolverMultistep(
      order: order, prediction: prediction, variant: variant, eta: eta,
      lowersFinalOrder: lowersFinalOrder, endsWithEuler: endsWithEuler)
  }
}

// Settings that the classes of the DPM-Solver family share.
extension SchedulerSettings {
  /// Fails where the network predicts variances too.
  mutating func requireFixedVariance() throws(SamplingError) {
    let variance = try string("variance_type", default: "fixed")
    guard variance == "fixed" else { throw unsupported("variance_type", variance) }
  }

  /// What estimates are of, and the share of noise.
  mutating func algorithm() throws(SamplingError) -> (SolverPrediction, eta: Double) {
    // `deis` stands for dpmsolver++ there too.
    try choice(
      "algorithm_type", default: "dpmsolver++",
      [
        "dpmsolver++": (.clean, 0), "deis": (.clean, 0), "dpmsolver": (.noise, 0),
        "sde-dpmsolver++": (.clean, 1), "sde-dpmsolver": (.noise, 1),
      ] as [String: (SolverPrediction, eta: Double)])
  }

  /// How differences are weighted; names of other solvers stand for midpoint.
  mutating func differenceWeight() throws(SamplingError) -> DifferenceWeight {
    try choice(
      "solver_type", default: "midpoint",
      [
        "midpoint": .midpoint, "heun": .heun, "logrho": .midpoint, "bh1": .midpoint,
        "bh2": .midpoint,
      ])
  }

  /// `solver_order`, 1 to 3.
  mutating func order() throws(SamplingError) -> Int {
    let order = try int("solver_order", default: 2)
    guard (1...3).contains(order) else { throw unsupported("solver_order", "\(order)") }
    return order
  }
}
