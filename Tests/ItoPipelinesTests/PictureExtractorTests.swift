import ItoCheckpoints
import ItoComponents
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A folder with a small untrained classifier of 16 × 16 colour pictures, deleted with the value.
private final class TinyClassifier {
  let folder: String

  init() throws {
    var template = Array((P_tmpdir + "/ito-test-XXXXXX").utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
    let network: JSONValue = [
      "_class_name": "ItoImageClassifier", "in_channels": 3, "patch_size": 2,
      "block_out_channels": [8, 16], "num_classes": 5,
    ]
    var initial = ParameterInitializer(seed: 3)
    try ImageClassifier(configuration: network, &initial).save(to: folder + "/model.safetensors")
    let manifest = ModelManifest(
      task: .classify, summary: "", network: network, height: 16, width: 16, channels: 3,
      labels: (0..<5).map { "\($0)" })
    try AtomicFile.write(folder + "/model.json", bytes: manifest.json.utf8())
  }

  deinit {
    unlink(folder + "/model.json")
    unlink(folder + "/model.safetensors")
    rmdir(folder)
  }
}

@Suite("A classifier's tower as a judge")
struct PictureExtractorTests {
  private func pictures(_ count: Int, _ side: Int, channels: Int = 3, seed: UInt64) -> PictureSet {
    var generator = SplitMix64(seed: seed)
    let bytes = (0..<(count * side * side * channels)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    return PictureSet(
      pixels: Tensor(bytes, shape: [count, side, side, channels]),
      names: (0..<count).map { "\($0)" })
  }

  @Test("Features are the classifier's, whatever the batch, and of pictures of any size")
  func features() throws {
    let tiny = try TinyClassifier()
    let extractor = try PictureExtractor(folder: tiny.folder)
    let set = pictures(5, 16, seed: 1)
    let features = extractor.features(of: set)
    let classifier = try PictureClassifier(folder: tiny.folder)
    #expect(features.scalars == (try classifier.judge(set.floats(0..<5))).features.scalars)
    #expect(
      mismatch(
        extractor.features(of: set, batchSize: 2), features.scalars, relative: 1e-5, absolute: 1e-6)
        == nil)
    // A picture twice as large in blocks of four equal pixels is the same to it.
    let large = PictureSet(
      pixels: set.pixels.cast(to: .float32).resizedNearest(height: 32, width: 32).cast(to: .uint8),
      names: set.names)
    #expect(
      mismatch(extractor.features(of: large), features.scalars, relative: 1e-4, absolute: 1e-5)
        == nil)
    #expect(extractor.features(of: pictures(2, 23, channels: 1, seed: 2)).shape == [2, 16])
  }

  @Test("Distances are 0 for equal pictures, the same both ways, and grow with noise")
  func distances() throws {
    let tiny = try TinyClassifier()
    let extractor = try PictureExtractor(folder: tiny.folder)
    let a = pictures(3, 16, seed: 1), b = pictures(3, 16, seed: 2)
    let same = extractor.distances(a, a, pairs: [(0, 0), (1, 1), (2, 2)])
    #expect(same == [0, 0, 0])
    let pairs = [(picture: 0, reference: 2), (picture: 1, reference: 0)]
    let there = extractor.distances(a, b, pairs: pairs, batchSize: 1)
    let back = extractor.distances(b, a, pairs: pairs.map { ($0.reference, $0.picture) })
    for (x, y) in zip(there, back) { #expect(abs(x - y) < 1e-6 && x > 0.01) }
    var near = a
    near.pixels = Tensor(
      a.pixels.integers.map { UInt8(max(0, min(255, $0 + ($0 % 3 - 1) * 4))) },
      shape: a.pixels.shape)
    let little = extractor.distances(a, near, pairs: [(0, 0), (1, 1)])
    #expect(little.allSatisfy { $0 > 0 && $0 < there[0] })
  }

  @Test("A model that draws is no judge")
  func refused() throws {
    let tiny = try TinyClassifier()
    var manifest = try ModelManifest(folder: tiny.folder)
    manifest.task = .generate
    try AtomicFile.write(tiny.folder + "/model.json", bytes: manifest.json.utf8())
    #expect(throws: PipelineError.self) { try PictureExtractor(folder: tiny.folder) }
  }
}
