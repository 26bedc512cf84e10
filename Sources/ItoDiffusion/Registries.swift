public import ItoComponents

// What this target offers by name. To add a component: its own file, and one line here.

extension Registry where Component == any NoiseSchedule {
  /// The processes.
  public static let builtin = Registry([
    .register(LinearBeta.self),
    .register(ScaledLinearBeta.self),
    .register(CosineBeta.self),
    .register(Cosine.self),
    .register(RectifiedFlow.self),
    .register(VarianceExploding.self),
  ])
}

extension Registry where Component == any Parameterization {
  /// What networks predict.
  public static let builtin = Registry([
    .register(NoisePrediction.self),
    .register(VPrediction.self),
    .register(CleanPrediction.self),
    .register(FlowPrediction.self),
    .register(KarrasPreconditioning.self),
  ])
}

extension Registry where Component == any StepSpacing {
  /// How levels are chosen.
  public static let builtin = Registry([
    .uniform(.linspace, aliases: ["uniform", "normal"], "timesteps in equal steps, both ends"),
    .uniform(
      .leading, aliases: ["ddim-uniform"], "timesteps in equal steps, the noisiest left out"),
    .uniform(.trailing, aliases: [], "timesteps in equal steps from the noisiest"),
    .register(KarrasSpacing.self),
    .register(ExponentialSpacing.self),
    .register(ShiftedFlow.self),
  ])
}

extension Registry where Component == any Solver {
  /// The methods.
  public static let builtin = Registry([
    .register(EulerSolver.self),
    .register(AncestralEuler.self),
    .register(DDIM.self),
    .register(HeunSolver.self),
    .register(DPMSolverPlusPlus2M.self),
    .register(FlowMap.self),
    .register(ParaDiGMS.self),
    .register(ParaTAA.self),
    .register(FixedPointSolver.self),
  ])
}

extension Registry where Component == any Guidance {
  /// The combinations of conditional and unconditional estimates.
  public static let builtin = Registry([
    .register(NoGuidance.self),
    .register(ClassifierFreeGuidance.self),
    .register(IntervalGuidance.self),
    .register(AdaptiveGuidance.self),
    .register(RescaledGuidance.self),
    .register(ManifoldGuidance.self),
    .register(AdaptiveProjectedGuidance.self),
    .register(ZeroStarGuidance.self),
    .register(ResidualGuidance.self),
    .register(PerturbedAttentionGuidance.self),
    .register(SkipLayerGuidance.self),
    .register(Autoguidance.self),
    .register(ClassifierGuidance.self),
  ])
}

/// The scheduler classes of diffusers whose configurations are understood.
let diffusersSchedulers: [DiffusersSchedulerEntry] = [
  .register(DDIMScheduler.self),
  .register(DPMSolverMultistepScheduler.self),
  .register(EDMDPMSolverMultistepScheduler.self),
  .register(EDMEulerScheduler.self),
  .register(EulerAncestralDiscreteScheduler.self),
  .register(EulerDiscreteScheduler.self),
  .register(FlowMatchEulerDiscreteScheduler.self),
  .register(FlowMatchHeunDiscreteScheduler.self),
  .register(HeunDiscreteScheduler.self),
]

extension Registry where Component == any AttentionBackend {
  /// The ways to compute attention.
  public static let builtin = Registry([
    .register(FusedAttention.self),
    .register(ReferenceAttention.self),
  ])
}

extension Registry where Component == TokenRouting {
  /// How tokens skip blocks in training.
  public static let builtin = Registry([
    .init(TokenRouting.self) { $0 }
  ])
}

// How a type becomes an entry of its registry.

extension Registry.Entry where Component == any NoiseSchedule {
  static func register<T: NoiseSchedule & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any Parameterization {
  static func register<T: Parameterization & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any StepSpacing {
  static func register<T: StepSpacing & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }

  static func uniform(_ kind: UniformSpacing.Kind, aliases: [String], _ summary: String) -> Self {
    Self(name: kind.rawValue, aliases: aliases, summary: summary) {
      (options) throws(OptionError) in try UniformSpacing(kind, options: &options)
    }
  }
}

extension Registry.Entry where Component == any Solver {
  static func register<T: Solver & Configurable>(_ type: T.Type) -> Self { Self(type) { $0 } }
}

extension Registry.Entry where Component == any Guidance {
  static func register<T: Guidance & Configurable>(_ type: T.Type) -> Self { Self(type) { $0 } }
}

extension Registry.Entry where Component == any AttentionBackend {
  static func register<T: AttentionBackend & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}
