public import ItoComponents
public import ItoTensors

/// CFG++: guidance of the clean estimate only, the noise put back being the unconditional estimate's,
/// so that small scales suffice and the path stays near the data.
///
/// `x_next = αₙ·(u + scale·(c − u)) + σₙ·ε(u)`. For a first-order step that is classifier-free guidance
/// by `scale/(1 − ρ)`, ρ = (σₙ/αₙ)/(σ/α), which is how it is done here: exact, and no solver knows.
/// Scale 0 is the unconditional estimate, scale 1 the full step of guidance without the excess.
/// - Domain: solvers of first order with one evaluation a step, such as euler and ddim.
/// - Source: Chung et al. 2025, *CFG++: Manifold-Constrained Classifier Free Guidance for Diffusion
///   Models*, arXiv:2406.08070, algorithm 2.
public struct ManifoldGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg++"
  /// What other tools call it.
  public static let aliases = ["cfgpp", "cfg-pp", "manifold-constrained"]
  /// One line for tables.
  public static let summary = "guides the clean estimate, puts unconditional noise back"

  /// λ, from 0 to 1 and a little above.
  public var scale: Double

  /// Guidance by `scale`.
  public init(scale: Double) { self.scale = scale }

  /// Takes the option `scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 0.6, in: 0...10)
  }

  /// Refuses solvers for which the noise is not put back in one step of first order.
  public func validate(_ request: SamplingRequest) throws(SamplingError) {
    let traits = request.solver.traits
    guard traits.order == 1, traits.evaluations == 1 else {
      throw .invalidRequest(
        "cfg++ needs a solver of first order with one evaluation a step, such as euler or ddim")
    }
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    scale == 0 ? [.unconditional] : [.conditional, .unconditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    let left = step.level.remainder(at: step.next)
    let strength = left < 1 ? scale / (1 - left) : scale
    return Tensor.linearCombination([(strength, estimates[0]), (1 - strength, estimates[1])])
  }
}
