import ItoDiffusion
import Testing

@testable import ItoTraining

@Suite struct LossWeightingTests {
  private let levels = [0.05, 0.3, 0.5, 0.9, 0.99].map { Cosine().level(at: $0) }

  private func ratio(_ level: NoiseLevel) -> Double {
    level.alpha * level.alpha / (level.sigma * level.sigma)
  }

  private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * abs(b) }

  @Test("Min-SNR has the paper's form for every parameterization")
  func minSNR() {
    let weighting = MinSNRWeighting(gamma: 5)
    for level in levels {
      let snr = ratio(level)
      func weight(_ p: some Parameterization) -> Double {
        weighting.outputWeight(at: level, p.preconditioning(at: level))
      }
      #expect(close(weight(CleanPrediction()), min(snr, 5)))
      #expect(close(weight(NoisePrediction()), min(snr, 5) / snr))
      #expect(close(weight(VPrediction()), min(snr, 5) / (snr + 1)))
    }
  }

  @Test("EDM's weighting is 1 for EDM's preconditioning")
  func edm() {
    for sigma in [0.002, 0.5, 3, 80] {
      let level = VarianceExploding().level(noiseToSignal: sigma)
      let preconditioning = KarrasPreconditioning().preconditioning(at: level)
      let weight = EDMWeighting(dataDeviation: 0.5).outputWeight(at: level, preconditioning)
      #expect(close(weight, 1))
      let clean = CleanPrediction().preconditioning(at: level)
      let expected = (sigma * sigma + 0.25) / ((sigma * 0.5) * (sigma * 0.5))
      #expect(close(EDMWeighting().outputWeight(at: level, clean), expected))
    }
  }

  @Test("The plain weighting is 1")
  func plain() {
    for level in levels {
      let p = VPrediction().preconditioning(at: level)
      #expect(PlainWeighting().outputWeight(at: level, p) == 1)
    }
  }
}
