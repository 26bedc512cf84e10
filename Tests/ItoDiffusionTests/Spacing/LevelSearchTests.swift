import Foundation
import ItoComponents
import ItoTensors
import Testing

@testable import ItoDiffusion

/// The searches on a problem whose estimates are known.
@Suite struct LevelSearchTests {
  static let problem = MixtureProblem()

  /// Levels between sigma/alpha 20 and 0.02 in equal logarithmic steps, and no noise.
  static let grid =
    (0..<40).map { i in
      NoiseLevel(time: 0, noiseToSignal: 20 * pow(0.02 / 20, Double(i) / 39))
    } + [.clean]

  /// 400 draws from the mixture.
  static let clean: Tensor = {
    var source = NoiseSource(seed: 5)
    let normals = source.normal([400]).scalars, uniforms = source.uniform([400]).scalars
    let values = zip(normals, uniforms).map { normal, uniform in
      uniform < 0.5 ? -1.5 + 0.5 * normal : 1 + 0.4 * normal
    }
    return Tensor(values, shape: [400, 1])
  }()

  static func found(_ search: any LevelSearch, _ count: Int) throws -> [NoiseLevel] {
    var noise = SamplingNoise(seed: 3, count: 1, engine: .philox)
    let denoise = DenoiseFunction { (x, level) throws(SamplingError) in
      Self.problem.denoise(x, at: level)
    }
    let levels = try search.levels(
      counts: [count], of: grid, clean: clean, noise: &noise, denoise: denoise)
    return try #require(levels[count])
  }

  /// Root mean square error of Euler's method along `levels`, all of it from the exact start.
  static func error(along levels: [NoiseLevel]) throws -> Double {
    let request = SamplingRequest(
      plan: SamplingPlan(levels: Array(levels.dropLast()), schedule: Cosine()),
      solver: EulerSolver(), noise: SamplingNoise(seed: 0))
    let end = levels[levels.count - 2]
    let result = try sample(
      problem.exact(at: levels[0]), with: MixtureDenoiser(problem: problem), request)
    return problem.distance(result.latent, problem.exact(at: end), at: end)
  }

  @Test(arguments: Registry<any LevelSearch>.builtin.names)
  func levelsFallFromEndToEnd(name: String) throws {
    let search = try Registry<any LevelSearch>.builtin.make(name)
    let levels = try Self.found(search, 6)
    #expect(levels.count == 7)
    #expect(levels.first == Self.grid.first && levels.last == .clean)
    #expect(zip(levels, levels.dropFirst()).allSatisfy { $0.noiseFraction > $1.noiseFraction })
    #expect(throws: SamplingError.self) { try Self.found(search, 41) }
  }

  /// What is found makes smaller errors than equal steps of sigma; what stays near the trajectories than
  /// equal logarithmic steps too.
  @Test(arguments: ["gits", "align-your-steps"])
  func foundLevelsMakeSmallerErrors(name: String) throws {
    let levels = try Self.found(try Registry<any LevelSearch>.builtin.make(name), 7)
    let error = try Self.error(along: levels)
    let equal =
      (0..<7).map { i in
        NoiseLevel(time: 0, noiseToSignal: 20 + (0.02 - 20) * Double(i) / 6)
      } + [.clean]
    #expect(error < (try Self.error(along: equal)))
    if name == "gits" {
      let logarithmic = stride(from: 0, through: 39, by: 6.5).map { Self.grid[Int($0)] } + [.clean]
      #expect(error < (try Self.error(along: logarithmic)))
    }
  }

  /// The dynamic programme against all paths.
  @Test func thePathIsTheCheapest() throws {
    func cost(_ i: Int, _ j: Int) -> Double { Double((i * 7 + j * 13) % 11) + Double(j - i) }
    let graph = LevelGraph(count: 7, cost: cost)
    for discount in [1.0, 1.3] {
      let path = try #require(graph.path(jumps: 3, discount: discount))
      func total(_ path: [Int]) -> Double {
        zip(path, path.dropFirst()).reversed().reduce(0) { cost($1.0, $1.1) + discount * $0 }
      }
      var least = Double.infinity
      for a in 1..<6 { for b in (a + 1)..<6 { least = min(least, total([0, a, b, 6])) } }
      #expect(abs(total(path) - least) < 1e-12)
    }
    #expect(graph.path(jumps: 7) == nil)
    #expect(graph.path(jumps: 1) == [0, 6])
  }
}

/// The mixture as a model.
private struct MixtureDenoiser: Denoiser {
  let problem: MixtureProblem
  let schedule: any NoiseSchedule = Cosine()

  func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor { problem.denoise(x, at: level) }
}
