import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Distances between sets of pictures")
struct EvaluationTests {
  @Test("the square root squares back, eigenvalues are those of a known matrix")
  func symmetric() {
    var m = SymmetricMatrix(size: 3)
    m.values = [2, -1, 0, -1, 2, -1, 0, -1, 2]
    let values = m.eigen().values.sorted()
    let expected = [2 - 2.0.squareRoot(), 2, 2 + 2.0.squareRoot()]
    for (a, b) in zip(values, expected) { #expect(abs(a - b) < 1e-12) }
    let root = m.squareRoot()
    var identity = SymmetricMatrix(size: 3)
    for i in 0..<3 { identity[i, i] = 1 }
    let squared = root.conjugating(identity)
    for (a, b) in zip(squared.values, m.values) { #expect(abs(a - b) < 1e-12) }
  }

  @Test("Fréchet distance of Gaussians in closed form")
  func frechet() {
    // Independent columns: sum over them of (difference of means)² + (difference of deviations)².
    let n = 40000
    let a = randomTensor([n, 3], seed: 1), b = 2 * randomTensor([n, 3], seed: 2) + 1
    let d = FeatureStatistics(a).frechetDistance(to: FeatureStatistics(b))
    #expect(abs(d - 3 * (1 + 1)) < 0.15)
    let same = FeatureStatistics(a).frechetDistance(to: FeatureStatistics(a))
    #expect(abs(same) < 1e-9)
  }

  @Test("kernel distance is zero on average for one distribution, positive for two")
  func kernel() {
    let a = randomTensor([600, 8], seed: 1), b = randomTensor([600, 8], seed: 2)
    let same = KernelDistance(between: a, and: b, subsets: 20, size: 200)
    let other = KernelDistance(between: a, and: b + 0.5, subsets: 20, size: 200)
    #expect(abs(same.mean) < 0.02)
    #expect(other.mean > 0.05)
    #expect(other == KernelDistance(between: a, and: b + 0.5, subsets: 20, size: 200))
  }

  @Test("a judgement counts agreement and compares like with like")
  func judgement() {
    let training = randomTensor([900, 4], seed: 1), test = randomTensor([500, 4], seed: 2)
    let generated = randomTensor([100, 4], seed: 3, offset: 1)
    let classes = (0..<100).map { $0 % 10 }
    var wanted = classes
    wanted[0] = 9
    let j = Judgement(
      features: generated, classes: classes, wanted: wanted, training: training, test: test)
    #expect(j.accuracy?.share == 0.99)
    #expect(j.frechet > 3)
    #expect(j.frechetFloor < 0.1)
    #expect(j.frechetFloorAtCount > j.frechetFloor)
    #expect(j.frechetLimit >= 3 * j.frechetFloor)
  }
}
