import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// Whole trajectories of diffusers 0.42.1 on a closed-form network, in float32.
@Suite struct SchedulerParityTests {
  /// Relative RMS error over a trajectory: both sides round the sample to float32 at every step, and
  /// the reference its coefficients too.
  static let tolerance = 5e-6

  @Test("every sample of the run", arguments: Golden.folders(in: Golden.schedulers))
  func trajectory(folder: String) throws {
    let golden = try Golden(folder)
    let run = try SchedulerParity(golden.config).trajectory(
      from: try #require(try golden.tensor("in.x0")), drawn: try golden.tensor("out.noise"))
    let samples = try #require(try golden.tensor("out.x"))
    let timesteps = try #require(try golden.tensor("out.timesteps"))
    #expect(relativeRMSError(run.timesteps, timesteps) < 1e-6)
    #expect(relativeRMSError(run.samples, samples) < Self.tolerance)
  }

  @Test func allGoldensAreFound() {
    #expect(Golden.folders(in: Golden.schedulers).count == 36)
  }

  @Test func initialScales() throws {
    let golden = try Golden(Golden.schedulers + "/EDMEuler")
    let configuration = try SamplerConfiguration(diffusers: golden.config)
    let plan = try configuration.plan(steps: 10)
    let start = configuration.initialSample(Tensor([1], shape: [1]), for: plan)
    let expected = try #require(golden.config["init_noise_sigma"]?.double)
    #expect(abs(Double(start.item) - expected) < 1e-5)
  }

  @Test func aMissingNumberOfStepsIsAnError() {
    let error = #expect(throws: SamplingError.self) {
      try SchedulerParity(["_class_name": "DDIMScheduler"])
    }
    #expect("\(error!)".contains("num_inference_steps"))
  }

  @Test func tooLittleNoiseIsAnError() throws {
    let golden = try Golden(Golden.schedulers + "/EulerA")
    let parity = try SchedulerParity(golden.config)
    let drawn = try #require(try golden.tensor("out.noise"))
    let start = try #require(try golden.tensor("in.x0"))
    #expect(throws: SamplingError.notEnoughNoise(recorded: 3)) {
      try parity.trajectory(from: start, drawn: drawn.slice(axis: 0, from: 0, to: 3))
    }
  }
}
