public import ItoComponents

// What this target offers by name. To add a component: its own file, and one line here.

extension Registry where Component == any DataSource {
  /// Where training data comes from.
  public static let builtin = Registry([
    .register(IDXSource.self),
    .cifar(.cifar10, aliases: ["cifar-10"], "CIFAR-10, binary version"),
    .cifar(.cifar100, aliases: ["cifar-100"], "CIFAR-100, binary version"),
    .register(FolderSource.self),
  ])
}

extension Registry where Component == any Optimizer {
  /// How gradients become weights.
  public static let builtin = Registry([
    .register(AdamW.self),
    .register(SGD.self),
    .register(Muon.self),
  ])
}

extension Registry where Component == any AveragingProfile {
  /// How the past of a model weighs in its average.
  public static let builtin = Registry([
    .register(ExponentialProfile.self),
    .register(PowerProfile.self),
  ])
}

extension Registry where Component == any NoisePairing {
  /// Which noise goes to which sample.
  public static let builtin = Registry([
    .register(IndependentNoise.self),
    .register(ImmiscibleNoise.self),
  ])
}

extension Registry where Component == any LearningRateDecay {
  /// How the learning rate falls after warm-up.
  public static let builtin = Registry([
    .register(ConstantRate.self),
    .register(CosineRate.self),
    .register(LinearRate.self),
  ])
}

extension Registry where Component == any TimeSampling {
  /// Which noise levels are trained.
  public static let builtin = Registry([
    .register(UniformTimes.self),
    .register(LogitNormalTimes.self),
    .register(LogNormalSigmas.self),
  ])
}

extension Registry where Component == any LossWeighting {
  /// How much the error at each level counts.
  public static let builtin = Registry([
    .register(PlainWeighting.self),
    .register(MinSNRWeighting.self),
    .register(EDMWeighting.self),
    .register(VelocityWeighting.self),
  ])
}

// How a type becomes an entry of its registry.

extension Registry.Entry where Component == any DataSource {
  static func register<T: DataSource & Configurable>(_ type: T.Type) -> Self { Self(type) { $0 } }

  static func cifar(_ set: CIFAR, aliases: [String], _ summary: String) -> Self {
    Self(name: set.rawValue, aliases: aliases, summary: summary) { (options) throws(OptionError) in
      try CIFARSource(set, options: &options)
    }
  }
}

extension Registry.Entry where Component == any Optimizer {
  static func register<T: Optimizer & Configurable>(_ type: T.Type) -> Self { Self(type) { $0 } }
}

extension Registry.Entry where Component == any AveragingProfile {
  static func register<T: AveragingProfile & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any NoisePairing {
  static func register<T: NoisePairing & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any LearningRateDecay {
  static func register<T: LearningRateDecay & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any TimeSampling {
  static func register<T: TimeSampling & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any LossWeighting {
  static func register<T: LossWeighting & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}
