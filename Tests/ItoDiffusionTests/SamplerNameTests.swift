import ItoComponents
import ItoDiffusion
import Testing

/// Names that people bring from other tools.
@Suite struct SamplerNameTests {
  /// A name, the solver that it stands for, and the spacing.
  @Test(
    arguments: [
      ("DPM++ 2M Karras", "dpm++2m", "karras"), ("DPM++ SDE Karras", "dpm++sde", "karras"),
      ("DPM++ 2M SDE Exponential", "dpm++2m-sde", "exponential"),
      ("DPM++ 2M SDE Heun Karras", "dpm++2m-sde-heun", "karras"),
      ("Euler a", "euler-ancestral", nil),
      ("euler_ancestral", "euler-ancestral", nil), ("euler_a", "euler-ancestral", nil),
      ("LMS Karras", "lms", "karras"), ("DPM2 a Karras", "dpm2-ancestral", "karras"),
      ("dpm_2", "dpm2", nil), ("dpm_2_ancestral", "dpm2-ancestral", nil),
      ("dpmpp_2s_ancestral", "dpm++2s-ancestral", nil), ("dpm++2s_a", "dpm++2s-ancestral", nil),
      ("dpm++2mv2", "dpm++2m-v2", nil), ("dpmpp_2m_sde_gpu", "dpm++2m-sde", nil),
      ("DPM fast", "dpm-fast", nil), ("DPM adaptive", "dpm-adaptive", nil), ("PLMS", "pndm", nil),
      ("uni_pc", "unipc", nil), ("uni_pc_bh2", "unipc", nil), ("ddim_trailing", "ddim", "trailing"),
      ("ipndm_v", "lms", nil), ("res_multistep", "res-2m", nil), ("DDIM", "ddim", nil),
      ("Euler SGM Uniform", "euler", "sgm-uniform"), ("Euler Automatic", "euler", nil),
      ("UniPCMultistepScheduler", "unipc", nil),
      ("DPM++ 2M Align Your Steps", "dpm++2m", "align-your-steps"),
      ("DPM++ 2M KL Optimal", "dpm++2m", "kl-optimal"), ("euler beta", "euler", "beta"),
    ] as [(String, String, String?)])
  func names(text: String, solver: String, spacing: String?) throws {
    let name = try SamplerName(parsing: text)
    #expect(try Registry<any Solver>.builtin.entry(name.solver.name).name == solver)
    let found = try name.spacing.map { try Registry<any StepSpacing>.builtin.entry($0.name).name }
    #expect(found == spacing)
  }

  @Test func optionsAreTheSolvers() throws {
    let name = try SamplerName(parsing: "unipc karras:order=3")
    #expect(name.solver.options == ["order": 3])
    #expect(name.spacing?.name == "karras")
  }

  @Test func unknownNamesAreErrorsThatHelp() {
    let error = #expect(throws: OptionError.self) { try SamplerName(parsing: "DPM++ 2N Karras") }
    #expect("\(error!)".contains("dpm++"))
  }

  /// Every class that a configuration may name is an alias of what it is read as.
  @Test(arguments: ["DDIMScheduler", "LCMScheduler", "DPMSolverSDEScheduler", "SASolverScheduler"])
  func classesAreNames(name: String) {
    #expect(Registry<any Solver>.builtin.contains(name))
  }
}
