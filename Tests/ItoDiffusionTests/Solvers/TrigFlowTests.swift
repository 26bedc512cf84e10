import Foundation
import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

/// Steps by the velocity of TrigFlow, against its formulas in the velocity d·F.
@Suite struct TrigFlowTests {
  /// Its output is the velocity.
  struct Network: Backbone {
    func callAsFunction(
      _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
    ) -> Tensor { (3 * x + Double(time.scalars.first ?? 0)).sin() }
    mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {}
  }

  static let deviation = 0.5
  let angles = [Double.pi / 2, 1.3, 0.7, 0]
  let schedule = TrigonometricFlow(dataDeviation: deviation)

  private func run(_ solver: any Solver, _ start: Tensor, _ drawn: [Tensor] = []) throws -> Tensor {
    let plan = SamplingPlan(
      levels: angles.map { schedule.level(at: $0 / (Double.pi / 2)) }, schedule: schedule)
    let denoiser = PreconditionedDenoiser(
      Network(), schedule: schedule,
      parameterization: TrigFlowPrediction(dataDeviation: Self.deviation))
    return try sample(
      start, with: denoiser,
      SamplingRequest(plan: plan, solver: solver, noise: SamplingNoise(recorded: drawn))
    ).latent
  }

  /// The network's output, by the input and the angle that it is told.
  private func velocity(_ x: Double, _ angle: Double) -> Double { sin(3 * x + angle) }

  @Test func aStepIsARotationByTheVelocity() throws {
    let start = 0.5 * randomTensor([3, 5], seed: 1)
    let expected = start.scalars.map { value in
      var x = Double(value)
      for (t, s) in zip(angles, angles.dropFirst()) {
        x = cos(t - s) * x - sin(t - s) * velocity(x, t)
      }
      return Float(x)
    }
    let found = try run(TrigFlowSolver(), start)
    #expect(
      mismatch(found, Tensor(expected, shape: [3, 5]), relative: 1e-4, absolute: 2e-5) == nil)
  }

  @Test func consistencyKeepsTheEstimateAndDrawsItsNoiseAnew() throws {
    let start = 0.5 * randomTensor([3, 5], seed: 1)
    let drawn = [randomTensor([3, 5], seed: 2), randomTensor([3, 5], seed: 3)]
    let expected = start.scalars.indices.map { index in
      var x = Double(start.scalars[index])
      for (step, (t, s)) in zip(angles, angles.dropFirst()).enumerated() {
        let clean = cos(t) * x - sin(t) * velocity(x, t)
        let z = step < drawn.count ? Double(drawn[step].scalars[index]) : 0
        x = cos(s) * clean + Self.deviation * sin(s) * z
      }
      return Float(x)
    }
    let solver = try Registry<any Solver>.builtin.make("scm")
    let found = try run(solver, start, drawn)
    #expect(
      mismatch(found, Tensor(expected, shape: [3, 5]), relative: 1e-4, absolute: 2e-5) == nil)
  }

  @Test func namesOfOtherTools() throws {
    #expect(try Registry<any Solver>.builtin.make("SCMScheduler").traits.isStochastic)
    #expect(try !Registry<any Solver>.builtin.make("trigflow").traits.isStochastic)
  }
}
