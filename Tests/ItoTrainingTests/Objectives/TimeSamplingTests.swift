import ItoComponents
import ItoDiffusion
import ItoTensors
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite struct TimeSamplingTests {
  @Test("The normal quantile inverts the distribution")
  func quantile() {
    #expect(abs(normalQuantile(0.5)) < 1e-15)
    #expect(abs(normalQuantile(0.975) - 1.959963984540054) < 1e-13)
    #expect(abs(normalQuantile(0.001) + 3.090232306167813) < 1e-13)
    for exponent in 1...9 {
      let p = pow(10, -Double(exponent))
      let x = normalQuantile(p)
      #expect(abs(erfc(-x / 2.0.squareRoot()) / 2 / p - 1) < 1e-12)
      #expect(normalQuantile(1 - p) == -normalQuantile(1 - (1 - p)))
    }
  }

  @Test("Levels come from the distributions named")
  func levels() {
    let flow = RectifiedFlow()
    #expect(UniformTimes().level(at: 0.3, on: flow).time == 0.3)
    let sampling = LogitNormalTimes(mean: -0.6, deviation: 0.5)
    let time = sampling.level(at: 0.975, on: flow).time
    #expect(abs(log(time / (1 - time)) - (-0.6 + 0.5 * 1.959963984540054)) < 1e-9)
    let level = LogNormalSigmas().level(at: 0.975, on: VarianceExploding())
    #expect(abs(log(level.noiseToSignal) - (-1.2 + 1.2 * 1.959963984540054)) < 1e-9)
  }

  @Test(
    "Stratified draws put one sample in each part of the distribution",
    arguments: Registry<any TimeSampling>.builtin.names)
  func stratified(name: String) throws {
    let times = try Registry<any TimeSampling>.builtin.make(name)
    let objective = DenoisingObjective<TinyBackbone>(times: times)
    var noise = NoiseSource(seed: 3, engine: .philox)
    let schedule = RectifiedFlow()
    let levels = objective.levels(count: 64, on: schedule, noise: &noise)
    for (i, level) in levels.enumerated() {
      let low = times.level(at: max(Double(i) / 64, 1e-9), on: schedule).noiseToSignal
      let high = times.level(at: min(Double(i + 1) / 64, 1 - 1e-9), on: schedule).noiseToSignal
      #expect(level.noiseToSignal >= low && level.noiseToSignal <= high)
    }
  }

  @Test("Independent draws have the distribution's mean")
  func independent() {
    let objective = DenoisingObjective<TinyBackbone>(times: UniformTimes(), isStratified: false)
    var noise = NoiseSource(seed: 3, engine: .philox)
    let levels = objective.levels(count: 4000, on: RectifiedFlow(), noise: &noise)
    let mean = levels.reduce(0) { $0 + $1.time } / 4000
    // Six standard deviations.
    #expect(abs(mean - 0.5) < 0.028)
    #expect(levels[..<2000].contains { $0.time > 0.9 })
  }
}
