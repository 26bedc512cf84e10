import ItoDiffusion
import ItoImages
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Starting from pictures")
struct StartingPointTests {
  private func gradient(_ width: Int, _ height: Int, _ slope: Int = 3) -> PixelImage {
    PixelImage(
      width: width, height: height, channels: 3,
      pixels: (0..<width * height * 3).map { UInt8($0 * slope % 256) })
  }

  @Test("what the mask leaves is the picture's own, bit for bit")
  func composite() {
    let old = gradient(5, 4), new = gradient(5, 4, 7)
    var mask = PixelImage(
      width: 5, height: 4, channels: 1, pixels: [UInt8](repeating: 0, count: 20))
    mask[2, 1] = 255
    mask[3, 1] = 128
    let result = new.composited(over: old, mask: mask)
    for y in 0..<4 {
      for x in 0..<5 {
        for c in 0..<3 {
          switch mask[x, y] {
          case 0: #expect(result[x, y, c] == old[x, y, c])
          case 255: #expect(result[x, y, c] == new[x, y, c])
          default:
            let exact = (Double(new[x, y, c]) * 128 + Double(old[x, y, c]) * 127) / 255
            #expect(abs(Double(result[x, y, c]) - exact) <= 0.5)
          }
        }
      }
    }
    let redrawn = mask.redrawn()
    #expect(redrawn.shape == [1, 4, 5, 1] && redrawn.scalars.reduce(0, +) == 2)
  }

  @Test("sizes are those of the picture, down to a multiple")
  func sizes() {
    let start = StartingPoint(picture: gradient(70, 33))
    #expect(start.naturalSize(multiple: 8) == PixelSize(height: 32, width: 64))
    #expect(start.scaledPicture(height: 32, width: 64)?.width == 64)
    #expect(StartingPoint(picture: gradient(3, 3)).naturalSize(multiple: 8)?.width == 8)
    #expect(start.strength == 0.8)
    let mask = PixelImage(width: 70, height: 33, color: .white)
    #expect(StartingPoint(picture: gradient(70, 33), mask: mask).strength == 1)
  }

  @Test("nonsense is refused")
  func refused() {
    #expect(throws: PipelineError.self) {
      try StartingPoint(picture: gradient(8, 8), strength: 0).validate()
    }
    #expect(throws: PipelineError.self) {
      try StartingPoint(picture: gradient(8, 8), strength: .nan).validate()
    }
    #expect(throws: PipelineError.self) {
      try StartingPoint(
        picture: gradient(8, 8), mask: PixelImage(width: 9, height: 8, color: .black)
      ).validate()
    }
  }

  @Test("a base model and a refiner share the steps without gap or overlap")
  func parts() throws {
    let plan = try SamplingPlan(
      steps: 10, spacing: UniformSpacing(.leading, offset: 1), schedule: ScaledLinearBeta())
    let base = plan.part(0...0.8), refiner = plan.part(0.8...1)
    #expect(base.stepCount + refiner.stepCount == 10)
    #expect(base.stepCount == 8)
    #expect(base.levels.last == refiner.levels.first)
    #expect(Array(base.levels.dropLast()) + refiner.levels == plan.levels)
    #expect(plan.part(0...1).levels == plan.levels)
    #expect(plan.part(0.999...1).stepCount <= 1)
  }

  /// Halves the sample.
  private struct Halving: Solver {
    var traits: SolverTraits { SolverTraits(order: 1, source: "") }
    func step(
      _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
      noise: inout SamplingNoise, denoise: DenoiseFunction
    ) throws(SamplingError) -> Tensor { 0.5 * x }
  }

  @Test("the part that stays follows the levels, and ends as it was")
  func repainting() throws {
    let plan = try SamplingPlan(
      steps: 3, spacing: UniformSpacing(.linspace), schedule: ScaledLinearBeta())
    let clean = randomTensor([1, 2, 2, 1], seed: 1), unit = randomTensor([1, 2, 2, 1], seed: 2)
    let mask = Tensor([1, 0, 0, 1] as [Float], shape: [1, 2, 2, 1])
    let solver = RepaintingSolver(base: Halving(), mask: mask, clean: clean, noise: unit)
    var memory = solver.makeMemory(for: plan)
    var noise = SamplingNoise(seed: 0)
    let denoise = DenoiseFunction { (x, _) throws(SamplingError) in x }
    var x = randomTensor([1, 2, 2, 1], seed: 3)
    for index in 0..<3 {
      let before = x.scalars
      let (current, next) = plan.step(index)
      x = try solver.step(
        x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
      let level = index == 2 ? .clean : plan.levels[index + 1]
      let kept = level.mix(clean: clean, noise: unit).scalars
      for (i, value) in x.scalars.enumerated() {
        let expected = i == 0 || i == 3 ? before[i] / 2 : kept[i]
        #expect(abs(value - expected) < 1e-6)
      }
    }
  }
}
