/// What keeps a sampling run, its plan or its configuration from succeeding.
public enum SamplingError: Error, Sendable, Hashable {
  /// The run was cancelled in the given step, counted from 0.
  case cancelled(step: Int)
  /// The sample holds infinities or NaN after the given step, from the given sigma.
  case nonFinite(step: Int, sigma: Double)
  /// A plan cannot be made, or the solver cannot follow it.
  case invalidPlan(String)
  /// The network's output does not determine the clean sample at this level.
  case undefinedEstimate(alpha: Double, sigma: Double)
  /// The recorded noise ran out.
  case notEnoughNoise(recorded: Int)
  /// The request does not fit together.
  case invalidRequest(String)
  /// A scheduler class of another tool that has no counterpart here.
  case unsupportedScheduler(String, known: [String])
  /// A setting of such a class that is not supported.
  case unsupportedSetting(scheduler: String, setting: String, value: String)
  /// A setting whose value cannot be used.
  case invalidSetting(scheduler: String, setting: String, reason: String)
}

extension SamplingError: CustomStringConvertible {
  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .cancelled(let step):
      return "sampling was cancelled in step \(step + 1)."
    case .nonFinite(let step, let sigma):
      return "the sample is no longer finite after step \(step + 1), which started at sigma "
        + "\(sigma). The network overflowed or its weights are damaged: try float32 or bfloat16 "
        + "instead of float16, less guidance, or check the file."
    case .invalidPlan(let reason):
      return "these steps cannot be taken: \(reason)."
    case .undefinedEstimate(let alpha, let sigma):
      return "the network's output says nothing about the clean sample at alpha \(alpha), sigma "
        + "\(sigma). Start below pure noise, or use a network that predicts v or the clean sample."
    case .notEnoughNoise(let recorded):
      return "the run needs more noise than the \(recorded) tensors recorded for it."
    case .invalidRequest(let reason):
      return "the request cannot be sampled: \(reason)."
    case .unsupportedScheduler(let name, let known):
      return "scheduler '\(name)' is not supported. Supported: \(known.joined(separator: ", "))."
    case .unsupportedSetting(let scheduler, let setting, let value):
      return "\(scheduler): \(setting) = \(value) is not supported. Change it in the scheduler's "
        + "configuration, or choose another solver."
    case .invalidSetting(let scheduler, let setting, let reason):
      return "\(scheduler): \(setting) \(reason). Correct it in the scheduler's configuration."
    }
  }
}
