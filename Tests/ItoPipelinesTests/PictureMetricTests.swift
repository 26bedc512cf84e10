import ItoComponents
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

/// A picture by a formula, so that a reference implementation elsewhere can be given the same bytes.
private func patterned(_ height: Int, _ width: Int, _ channels: Int, seed: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  for i in 0..<height {
    for j in 0..<width {
      for k in 0..<channels {
        let value = i * 7 * seed + j * 13 + k * 29 + (i * j) % (17 + seed) * 5
        bytes.append(UInt8(value % 256))
      }
    }
  }
  return bytes
}

private func set(_ pictures: [[UInt8]], _ height: Int, _ width: Int, _ channels: Int) -> PictureSet
{
  PictureSet(
    pixels: Tensor(pictures.flatMap { $0 }, shape: [pictures.count, height, width, channels]),
    names: pictures.indices.map { "p\($0)" })
}

@Suite("Figures of pictures")
struct PictureMetricTests {
  @Test("SSIM and PSNR are those of scikit-image 0.26 (Gaussian window, population covariance)")
  func reference() {
    func values(
      _ a: [UInt8], _ b: [UInt8], _ height: Int, _ width: Int, _ channels: Int
    ) -> (Double, Double) {
      (
        StructuralSimilarity().similarity(a, b, height: height, width: width, channels: channels),
        PeakSignalToNoise().ratio(a, b)
      )
    }
    let first = values(patterned(16, 16, 3, seed: 1), patterned(16, 16, 3, seed: 2), 16, 16, 3)
    #expect(abs(first.0 - 0.10986916217144888) < 1e-9)
    #expect(abs(first.1 - 8.243883548034391) < 1e-9)
    let second = values(patterned(23, 17, 1, seed: 1), patterned(23, 17, 1, seed: 3), 23, 17, 1)
    #expect(abs(second.0 - 0.021983803462678184) < 1e-9)
    #expect(abs(second.1 - 8.318238512620749) < 1e-9)
    let x = patterned(40, 31, 3, seed: 2)
    let y = x.enumerated().map { index, value in
      let (i, j) = (index / 93, index % 93 / 3)
      return UInt8(min(255, max(0, Int(value) + (i + j) % 9 - 4)))
    }
    let third = values(x, y, 40, 31, 3)
    #expect(abs(third.0 - 0.9987994957389253) < 1e-9)
    #expect(abs(third.1 - 39.96856885032494) < 1e-9)
  }

  @Test("Equal pictures reach the ends of both scales; nothing is said without pairs of one size")
  func ends() throws {
    let picture = patterned(12, 12, 3, seed: 1)
    let same = JudgedCase(
      pictures: set([picture], 12, 12, 3), reference: set([picture], 12, 12, 3), wanted: [0])
    let similarity = try StructuralSimilarity().figures(of: same, bootstrap: Bootstrap())
    #expect(abs(try #require(similarity.first).value - 1) < 1e-12)
    let ratio = try PeakSignalToNoise().figures(of: same, bootstrap: Bootstrap())
    #expect(abs(try #require(ratio.first).value - 58.92) < 0.01)
    var unpaired = same
    unpaired.wanted = [nil]
    #expect(try PeakSignalToNoise().figures(of: unpaired, bootstrap: Bootstrap()).isEmpty)
    let small = JudgedCase(
      pictures: set([patterned(8, 8, 3, seed: 1)], 8, 8, 3), reference: same.reference, wanted: [0])
    #expect(try StructuralSimilarity().figures(of: small, bootstrap: Bootstrap()).isEmpty)
  }

  @Test("Intervals of a mean cover it about as often as they say")
  func coverage() throws {
    var covered = 0
    for trial in 0..<200 {
      let values = randomTensor([40], seed: UInt64(trial + 1)).scalars.map(Double.init)
      let interval = try #require(
        Bootstrap(resamples: 200, seed: UInt64(trial)).interval(ofMean: values))
      covered += interval.contains(0) ? 1 : 0
    }
    // 95 % of 200, less what few samples and resamples cost.
    #expect((174...198).contains(covered))
    #expect(Bootstrap().interval(ofMean: [1]) == nil)
    #expect(Bootstrap().interval(ofMean: [2, 2, 2]) == 2...2)
  }

  /// The variance of a resample is too small by 1/n on average. Of forty normal values such an interval holds
  /// the true variance in 89.6 % of 1,000 trials in numpy; 4 deviations of 200 trials are 17.
  @Test("An interval around a figure that resampling biases has the coverage of its method")
  func aroundValue() throws {
    let count = 40
    var covered = 0
    for trial in 0..<200 {
      let values = randomTensor([count], seed: UInt64(trial + 1)).scalars.map(Double.init)
      func variance(_ picks: [Int]) -> Double {
        let mean = picks.reduce(0) { $0 + values[$1] } / Double(count)
        return picks.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) }
          / Double(count - 1)
      }
      let figure = variance(Array(0..<count))
      let interval = try #require(
        Bootstrap(resamples: 200, seed: UInt64(trial))
          .interval(count: count, around: figure, of: variance))
      #expect(interval.contains(figure))
      covered += interval.contains(1) ? 1 : 0
    }
    #expect((162...196).contains(covered), "\(covered) of 200")
    #expect(Bootstrap().interval(count: 1, around: 0) { _ in 0 } == nil)
  }

  @Test("The nearest picture is found, its concept too, with noise and at another size")
  func nearest() throws {
    let real = (1...12).map { patterned(32, 32, 3, seed: $0) }
    var reference = set(real, 32, 32, 3)
    reference.concepts = (1...12).map { "c\($0 / 3)" }
    // Pictures 4 and 7 with noise, and 2 where 3 was wanted.
    let noisy = [3, 6, 1].map { k in
      real[k].enumerated().map { UInt8(min(255, Int($1) + $0 % 5)) }
    }
    let subject = JudgedCase(
      pictures: set(noisy, 32, 32, 3), reference: reference, wanted: [3, 6, 2])
    let figures = try NearestPicture().figures(of: subject, bootstrap: Bootstrap(resamples: 50))
    let byName = Dictionary(uniqueKeysWithValues: figures.map { ($0.name, $0.value) })
    #expect(abs(try #require(byName["nearest-top1"]) - 200.0 / 3) < 1e-9)
    // Seeds 2 and 3 are concepts c0 and c1.
    #expect(abs(try #require(byName["nearest-concept"]) - 200.0 / 3) < 1e-9)
    #expect(try #require(byName["nearest-top5"]) >= 200.0 / 3)
    let descriptors = NearestPicture().descriptors(set([real[0]], 32, 32, 3)).scalars
    #expect(descriptors.count == 32 * 32 * 3 + 8 * 8 * 3)
    let large = set([patterned(64, 64, 3, seed: 1)], 64, 64, 3)
    #expect(NearestPicture().descriptors(large).shape[1] == descriptors.count)
  }

  @Test("A picture that is its caption finds it among others; one that is another's does not")
  func retrieval() throws {
    // Unit vectors along axes: caption k is axis k.
    func axis(_ k: Int) -> [Float] { (0..<16).map { $0 == k ? 1 : 0 } }
    func table(_ ks: [Int]) -> Tensor { Tensor(ks.flatMap(axis), shape: [ks.count, 16]) }
    let encoder = PictureCaptions(
      pictures: table([0, 1, 5]), captions: table([0, 1, 2]),
      real: (table(Array(0..<16)), table(Array(0..<16))))
    let subject = JudgedCase(
      pictures: set([[0], [0], [0]], 1, 1, 1), encoder: encoder)
    let found = try CaptionRetrieval(candidates: 100).figures(of: subject, bootstrap: Bootstrap())
    #expect(abs(try #require(found.first).value - 200.0 / 3) < 1e-9)
    #expect(found.first?.real == 100)
    let score = try CaptionScore().figures(of: subject, bootstrap: Bootstrap())
    #expect(abs(try #require(score.first).value - 200.0 / 3) < 1e-4)
    // Pictures and captions that all look alike are never a hit.
    let flat = PictureCaptions(pictures: table([3, 3]), captions: table([1, 2]))
    #expect(
      CaptionRetrieval().hits(flat.pictures, flat.captions, flat.captions, seed: 1) == [0, 0])
  }

  @Test("Pictures are matched by name, or else by caption")
  func matching() {
    var reference = set([[0], [0], [0]], 1, 1, 1)
    reference.captions = [["a dog", "dog"], ["a cat"], ["dog"]]
    var pictures = set([[0], [0], [0]], 1, 1, 1)
    pictures.names = ["p2", "x", "y"]
    pictures.captions = [["a cat"], ["dog"], ["bird"]]
    #expect(pictures.matches(in: reference) == [2, 0, nil])
  }

  @Test("Fréchet and kernel figures see a shift, and their floors are below it")
  func distances() throws {
    let real = randomTensor([300, 6], seed: 1)
    let shifted = randomTensor([200, 6], seed: 2) + 0.8
    let subject = JudgedCase(
      pictures: set([[0]], 1, 1, 1), extractor: PictureFeatures(pictures: shifted, reference: real))
    let frechet = try #require(
      try FrechetMetric(resamples: 20).figures(of: subject, bootstrap: Bootstrap()).first)
    // Six features, each 0.8 away.
    #expect(abs(frechet.value - 6 * 0.64) < 0.6)
    let interval = try #require(frechet.interval)
    #expect(interval.contains(frechet.value))
    #expect(try #require(frechet.real) < 0.5)
    let kernel = try #require(try KernelMetric().figures(of: subject, bootstrap: Bootstrap()).first)
    #expect(kernel.value > 10 * abs(try #require(kernel.real)))
  }

  @Test(
    "Every metric says nothing about a case that lacks what it needs",
    arguments: Registry<any PictureMetric>.builtin.names)
  func lacking(name: String) throws {
    let metric = try Registry<any PictureMetric>.builtin.make(name)
    let subject = JudgedCase(pictures: set([patterned(16, 16, 3, seed: 1)], 16, 16, 3))
    #expect(try metric.figures(of: subject, bootstrap: Bootstrap()).isEmpty)
  }
}
