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
    .register(TrigonometricFlow.self),
    .register(BayesianFlow.self),
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
    .register(ConsistencyPreconditioning.self),
    .register(TrigFlowPrediction.self),
  ])
}

extension Registry where Component == any StepSpacing {
  /// How levels are chosen.
  public static let builtin = Registry(
    [
      .uniform(
        .linspace, aliases: ["uniform", "normal", "discrete"], "timesteps in equal steps, both ends"
      ),
      .uniform(
        .leading, aliases: ["ddim-uniform"], "timesteps in equal steps, the noisiest left out"),
      .uniform(.trailing, aliases: [], "timesteps in equal steps from the noisiest"),
      .register(KarrasSpacing.self),
      .register(ExponentialSpacing.self),
      .register(PolyexponentialSpacing.self),
      .register(KLOptimalSpacing.self),
      .register(LogSNRSpacing.self),
      .register(BetaSpacing.self),
      .register(ShiftedFlow.self),
      .register(LinearQuadraticSpacing.self),
      .register(VarianceSpacing.self),
      .register(DistilledSpacing.self),
      PublishedTable.alignYourSteps,
      PublishedTable.gits,
      .register(LevelList.self),
    ] + TimeSpacing.entries)
}

extension Registry where Component == any Solver {
  /// The methods.
  public static let builtin = Registry([
    .register(EulerSolver.self),
    .register(AncestralEuler.self),
    .register(DDIM.self),
    .register(HeunSolver.self),
    .register(DPM2.self),
    DPM2.ancestral,
    .register(LinearMultistep.self),
    .register(PNDM.self),
    .register(IPNDM.self),
    .register(DPMSolverMultistep.self),
    .register(DPMSolverSinglestep.self),
    DPMSolverSinglestep.fast,
    .register(DPMSolverPlusPlus2S.self),
    DPMSolverPlusPlus2S.ancestral,
    .register(DPMSolverPlusPlus2M.self),
    .register(DPMSolverPlusPlus3MSDE.self),
    .seeds(1),
    .seeds(2),
    .seeds(3),
    .register(ERSDE.self),
    .register(LangevinCorrector.self),
    .register(CriticallyDamped.self),
    .register(GottaGoFast.self),
    .register(GaussianMixtureSolver.self),
    .register(Restart.self),
    .register(FlowMap.self),
    .register(ParaDiGMS.self),
    .register(ParaTAA.self),
    .register(FixedPointSolver.self),
    .register(DPMSolverPlusPlus2Mv2.self),
    DPMSolverMultistep.plusPlus3M,
    .register(DPMSolverPlusPlusSDE.self),
    DPMSolverMultistep.plusPlus2MSDE,
    DPMSolverMultistep.plusPlus2MSDEHeun,
    .register(DEIS.self),
    DEIS.tAB3,
    .register(UniPC.self),
    UniPC.bh1,
    .register(ExponentialMidpoint.self),
    .register(ExponentialMultistep.self),
    ExponentialMultistep.third,
    .register(AdamsBashforth.self),
    .register(DPMSolverAdaptive.self),
    .register(RK45.self),
    .register(SASolver.self),
    .register(DDPM.self),
    .register(ConsistencySolver.self),
    .register(TCD.self),
    .register(BFNSolver.self),
    BFNSolver.stochastic,
    .register(TrigFlowSolver.self),
    TrigFlowSolver.consistency,
    .register(DenoisingMCMC.self),
  ])
}

extension Registry where Component == any LevelSearch {
  /// The ways to find levels for a model.
  public static let builtin = Registry([
    .register(TrajectorySearch.self),
    .register(AlignmentSearch.self),
    .register(EvidenceSearch.self),
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
  .register(CMStochasticIterativeScheduler.self),
  .register(CosineDPMSolverMultistepScheduler.self),
  .register(DDIMParallelScheduler.self),
  .register(DDIMScheduler.self),
  .register(DDPMParallelScheduler.self),
  .register(DDPMScheduler.self),
  .register(DEISMultistepScheduler.self),
  .register(DPMSolverMultistepScheduler.self),
  .register(DPMSolverSDEScheduler.self),
  .register(DPMSolverSinglestepScheduler.self),
  .register(EDMDPMSolverMultistepScheduler.self),
  .register(EDMEulerScheduler.self),
  .register(EulerAncestralDiscreteScheduler.self),
  .register(EulerDiscreteScheduler.self),
  .register(FlowMatchEulerDiscreteScheduler.self),
  .register(FlowMatchHeunDiscreteScheduler.self),
  .register(FlowMatchLCMScheduler.self),
  .register(HeunDiscreteScheduler.self),
  .register(IPNDMScheduler.self),
  .register(KDPM2AncestralDiscreteScheduler.self),
  .register(KDPM2DiscreteScheduler.self),
  .register(LCMScheduler.self),
  .register(LMSDiscreteScheduler.self),
  .register(PNDMScheduler.self),
  .register(SASolverScheduler.self),
  .register(SCMScheduler.self),
  .register(TCDScheduler.self),
  .register(UniPCMultistepScheduler.self),
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

extension Registry where Component == TokenMasking {
  /// How tokens are hidden in training.
  public static let builtin = Registry([
    .init(TokenMasking.self) { $0 }
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

extension Registry.Entry where Component == any LevelSearch {
  static func register<T: LevelSearch & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}

extension Registry.Entry where Component == any Guidance {
  static func register<T: Guidance & Configurable>(_ type: T.Type) -> Self { Self(type) { $0 } }
}

extension Registry.Entry where Component == any AttentionBackend {
  static func register<T: AttentionBackend & Configurable>(_ type: T.Type) -> Self {
    Self(type) { $0 }
  }
}
