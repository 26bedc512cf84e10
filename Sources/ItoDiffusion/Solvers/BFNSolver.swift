public import ItoComponents
public import ItoTensors

/// Solvers of Bayesian flow networks on continuous data, of their probability flow or of the stochastic
/// process.
///
/// With λ = log(α/σ), h = λₙ − λ_c, r = (λ_c − λ_p)/h and D = clean + (clean − previous)/2r:
/// `x_next = (σₙ/σ_c)·x + αₙ·(1 − e^{−h})·D` (BFN-Solver2), and with noise
/// `x_next = (σₙ/σ_c)·e^{−h}·x + αₙ·(1 − e^{−2h})·D + σₙ·√(1 − e^{−2h})·z` (SDE-BFN-Solver2). At order 1 D
/// is the estimate alone: BFN-Solver1, and with noise the sampler of Graves et al., which updates beliefs
/// exactly: on `BayesianFlow`, with β = (α/σ)², it is `((1 + β_c)·x + (βₙ − β_c)·clean + √(βₙ − β_c)·z)/(1 + βₙ)`.
/// - Order: `order` after a first step of order 1; with noise 1 in the mean. One evaluation a step.
/// - Domain: any process, `BayesianFlow` being the one it was published for, where plans begin a little
///   below the prior. A step from pure noise is of first order, one to sigma 0 gives the estimate.
/// - Source: Xue et al. 2024, *Unifying Bayesian Flow Networks and Diffusion Models through Stochastic
///   Differential Equations*, arXiv:2404.15766, algorithms 1 to 3. The steps of second order are those of
///   `DPMSolverMultistep`, with estimates clipped and no lower order at the end.
public struct BFNSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "bfn-solver"
  /// What other tools call it.
  public static let aliases = ["bfn-solver-2", "bfn-solver++2"]
  /// One line for tables.
  public static let summary = "multistep of Bayesian flow networks, order 2 or 1"

  /// Greatest order of a step, 1 or 2.
  public var order: Int
  /// Whether steps follow the stochastic process.
  public var isStochastic: Bool
  /// Estimates are kept within ± this, if given; 1 as published.
  public var clip: Double?

  /// Of second order, without noise and without clipping unless told otherwise.
  public init(order: Int = 2, isStochastic: Bool = false, clip: Double? = nil) {
    self.order = order
    self.isStochastic = isStochastic
    self.clip = clip
  }

  /// Takes the options `order`, `clip`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, isStochastic: false)
  }

  private init(options: inout OptionReader, isStochastic: Bool) throws(OptionError) {
    order = try options.int("order", default: 2, in: 1...2)
    clip = try options.double("clip", in: 0...1e6)
    self.isStochastic = isStochastic
  }

  /// The solver of the stochastic process.
  static let stochastic = Registry<any Solver>.Entry(
    name: "sde-bfn-solver", aliases: ["sde-bfn-solver-2", "sde-bfn-solver++2"],
    summary: "multistep of Bayesian flow networks with noise, order 2 or 1"
  ) { (options) throws(OptionError) in try BFNSolver(options: &options, isStochastic: true) }

  private var multistep: DPMSolverMultistep {
    DPMSolverMultistep(order: order, eta: isStochastic ? 1 : 0, lowersFinalOrder: false)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: isStochastic ? 1 : order, isStochastic: isStochastic, source: "arXiv:2404.15766")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory {
    multistep.makeMemory(for: plan)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    try multistep.step(
      x, from: current, to: next, memory: &memory, noise: &noise,
      denoise: clip.map { denoise.limited(to: .range($0)) } ?? denoise)
  }
}
