import ItoComponents

/// A scheduler class of diffusers, read into our parts. One file each, and one line in
/// `Registries.swift`.
protocol DiffusersScheduler: Sendable {
  /// The class's name.
  static var className: String { get }
  /// The parts its settings describe.
  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration
}

/// One class in the list of those understood.
struct DiffusersSchedulerEntry: Sendable {
  let className: String
  let configuration:
    @Sendable (inout SchedulerSettings) throws(SamplingError) -> SamplerConfiguration

  static func register<T: DiffusersScheduler>(_ type: T.Type) -> Self {
    Self(className: T.className) { (settings) throws(SamplingError) in
      try T.configuration(&settings)
    }
  }
}

/// The settings of one scheduler, taken out one by one. `null` counts as left out.
struct SchedulerSettings {
  let scheduler: String
  private let values: JSONObject
  private var read: Set<String> = []

  init(scheduler: String, values: JSONObject) {
    self.scheduler = scheduler
    self.values = values
  }

  /// Settings that nobody asked for, without diffusers' own bookkeeping and the fixtures'.
  var unread: [String] {
    let notes = ["num_inference_steps", "init_noise_sigma"]
    return values.keys.filter {
      !$0.hasPrefix("_") && !read.contains($0) && !notes.contains($0)
    }.sorted()
  }

  private mutating func value(_ key: String) -> JSONValue? {
    read.insert(key)
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> SamplingError {
    .invalidSetting(
      scheduler: scheduler, setting: key, reason: "is \(value.kind) where \(expected) is needed")
  }

  mutating func double(_ key: String) throws(SamplingError) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.double else { throw wrong(key, "a number", value) }
    return number
  }

  mutating func double(_ key: String, default fallback: Double) throws(SamplingError) -> Double {
    try double(key) ?? fallback
  }

  mutating func int(_ key: String, default fallback: Int) throws(SamplingError) -> Int {
    guard let value = value(key) else { return fallback }
    guard let number = value.int else { throw wrong(key, "an integer", value) }
    return number
  }

  mutating func bool(_ key: String, default fallback: Bool = false) throws(SamplingError) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let flag = value.bool else { throw wrong(key, "true or false", value) }
    return flag
  }

  mutating func string(_ key: String, default fallback: String) throws(SamplingError) -> String {
    guard let value = value(key) else { return fallback }
    guard let text = value.string else { throw wrong(key, "text", value) }
    return text
  }

  /// One of `choices` by name; another name is unsupported.
  mutating func choice<T>(
    _ key: String, default fallback: String, _ choices: [String: T]
  ) throws(SamplingError) -> T {
    let name = try string(key, default: fallback)
    guard let choice = choices[name] else { throw unsupported(key, name) }
    return choice
  }

  /// Numbers that a list may have: one for each training step, of which there are 1000 in practice.
  private static let longestList = 1 << 16

  mutating func doubles(_ key: String) throws(SamplingError) -> [Double]? {
    guard let value = value(key) else { return nil }
    guard let items = value.array else { throw wrong(key, "a list", value) }
    guard items.count <= Self.longestList else {
      throw wrong(key, "a list of at most \(Self.longestList) numbers", value)
    }
    var numbers: [Double] = []
    for item in items {
      guard let number = item.double else { throw wrong(key, "a list of numbers", item) }
      numbers.append(number)
    }
    return numbers
  }

  /// Fails where a switch is on that has no counterpart here.
  mutating func requireOff(_ keys: String...) throws(SamplingError) {
    for key in keys where try bool(key) { throw unsupported(key, "true") }
  }

  func unsupported(_ setting: String, _ value: String) -> SamplingError {
    .unsupportedSetting(scheduler: scheduler, setting: setting, value: value)
  }
}

// Groups of settings that several classes share.
extension SchedulerSettings {
  /// The number of timesteps trained with.
  mutating func timesteps() throws(SamplingError) -> Int {
    let count = try int("num_train_timesteps", default: 1000)
    guard count > 1 else {
      throw .invalidSetting(
        scheduler: scheduler, setting: "num_train_timesteps", reason: "is \(count), less than 2")
    }
    return count
  }

  /// The process.
  ///
  /// - Parameter floorsTerminal: ᾱ of the last timestep is 2⁻²⁴ where it would be rescaled to 0.
  mutating func betaSchedule(
    kind: String = "linear", start: Double = 1e-4, end: Double = 0.02, floorsTerminal: Bool
  ) throws(SamplingError) -> any TabulatedSchedule {
    let count = try timesteps()
    let (start, end) = (
      try double("beta_start", default: start), try double("beta_end", default: end)
    )
    let rescales = try bool("rescale_betas_zero_snr")
    let terminal: Double? = rescales && floorsTerminal ? 0x1p-24 : nil
    let kind = try string("beta_schedule", default: kind)
    if let betas = try doubles("trained_betas") {
      guard betas.count > 1 else {
        throw .invalidSetting(
          scheduler: scheduler, setting: "trained_betas", reason: "has fewer than 2 values")
      }
      return TrainedBetas(betas: betas, zeroTerminalSNR: rescales, terminalAlphaBar: terminal)
    }
    switch kind {
    case "linear":
      return LinearBeta(
        timesteps: count, betaStart: start, betaEnd: end, zeroTerminalSNR: rescales,
        terminalAlphaBar: terminal)
    case "scaled_linear":
      return ScaledLinearBeta(
        timesteps: count, betaStart: start, betaEnd: end, zeroTerminalSNR: rescales,
        terminalAlphaBar: terminal)
    case "squaredcos_cap_v2":
      return CosineBeta(
        timesteps: count, zeroTerminalSNR: rescales, terminalAlphaBar: terminal)
    default: throw unsupported("beta_schedule", kind)
    }
  }

  /// What the network predicts, told `time`.
  mutating func parameterization(
    time: ConditioningTime
  ) throws(SamplingError) -> any Parameterization {
    try choice(
      "prediction_type", default: "epsilon",
      [
        "epsilon": NoisePrediction(time: time), "v_prediction": VPrediction(time: time),
        "sample": CleanPrediction(time: time), "original_sample": CleanPrediction(time: time),
        "flow_prediction": FlowPrediction(time: time),
      ] as [String: any Parameterization])
  }

  /// Which timesteps.
  mutating func spacingKind(
    default fallback: UniformSpacing.Kind
  ) throws(SamplingError) -> UniformSpacing.Kind {
    try choice(
      "timestep_spacing", default: fallback.rawValue,
      ["linspace": .linspace, "leading": .leading, "trailing": .trailing])
  }

  mutating func finalLevel() throws(SamplingError) -> FinalLevel {
    try choice("final_sigmas_type", default: "zero", ["zero": .zero, "sigma_min": .lowest])
  }

  /// What clean estimates are kept within: dynamic thresholding, or a range for the classes that clip.
  ///
  /// - Parameter clipsByDefault: nil for a class that does not clip.
  mutating func estimateLimit(
    clipsByDefault: Bool? = nil
  ) throws(SamplingError) -> EstimateLimit? {
    let (share, greatest) = (
      try double("dynamic_thresholding_ratio", default: 0.995),
      try double("sample_max_value", default: 1)
    )
    var range: Double?
    if let clipsByDefault {
      let bound = try double("clip_sample_range", default: 1)
      if try bool("clip_sample", default: clipsByDefault) { range = bound }
    }
    guard try bool("thresholding") else { return range.map { .range($0) } }
    guard (0...1).contains(share), greatest > 0 else {
      throw .invalidSetting(
        scheduler: scheduler, setting: "dynamic_thresholding_ratio, sample_max_value",
        reason: "are \(share) and \(greatest), not within 0 to 1 and above 0")
    }
    return .quantile(share, greatest: greatest)
  }

  /// `base`, or Karras, exponential or beta sigmas over its range.
  mutating func respaced(_ base: any StepSpacing) throws(SamplingError) -> any StepSpacing {
    let range = NoiseRange(
      minimum: try double("sigma_min"), maximum: try double("sigma_max"), base: base)
    var chosen: [any StepSpacing] = []
    if try bool("use_karras_sigmas") {
      chosen.append(KarrasSpacing(range: range))
    }
    if try bool("use_exponential_sigmas") {
      chosen.append(ExponentialSpacing(range: range))
    }
    if try bool("use_beta_sigmas") {
      chosen.append(BetaSpacing(range: range))
    }
    guard chosen.count < 2 else {
      throw .invalidSetting(
        scheduler: scheduler, setting: "use_karras_sigmas",
        reason: "is one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas of which "
          + "\(chosen.count) are on")
    }
    return chosen.first ?? base
  }
}
