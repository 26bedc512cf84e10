import ItoDiffusion
import ItoImages
import ItoTensors
import Testing

@testable import ItoTraining

@Suite struct PromptedBatchesTests {
  private let folder = TemporaryFolder()

  /// A letter is a token of two features: its code, and 1.
  private func encode(_ texts: [String]) -> Conditioning {
    let width = texts.map(\.utf8.count).max() ?? 1
    var values: [Float] = []
    var mask: [Bool] = []
    for text in texts {
      let codes = text.utf8.map { Float($0) }
      values += codes.flatMap { [$0, 1] } + [Float](repeating: 7, count: 2 * (width - codes.count))
      mask += (0..<width).map { $0 < codes.count }
    }
    return Conditioning(
      tokens: Tensor(values, shape: [texts.count, width, 2]),
      pooled: Tensor(texts.map { Float($0.utf8.count) }, shape: [texts.count, 1]),
      mask: Tensor(mask, shape: [texts.count, width]))
  }

  private func captions(_ images: ImageSet) throws -> EncodedCaptions {
    let texts = images.captionChoices.flatMap { $0.map(\.text) }
    return try EncodedCaptions(
      texts, encoder: "letters", folder: folder.path, encode: encode, progress: { _, _ in })
  }

  /// Picture i is one RGBA pixel: red is 10·i, alpha is half for the last.
  private func set(weights: [Double] = []) throws -> ImageSet {
    let bytes: [UInt8] = [0, 0, 0, 255, 10, 0, 0, 255, 20, 100, 200, 128]
    return try ImageSet(
      pixels: Tensor(bytes, shape: [3, 1, 1, 4]),
      captionChoices: [
        [Caption("a"), Caption("bb")], [Caption("c")],
        [Caption("ddd", background: PixelColor(red: 250, green: 0, blue: 100))],
      ], weights: weights)
  }

  @Test("Encoded captions come back padded, from memory and from the file")
  func encoded() throws {
    let images = try set()
    _ = try captions(images)
    var calls = 0
    let again = try EncodedCaptions(
      ["ddd", "a", "bb", "c", "a"], encoder: "letters", folder: folder.path,
      encode: {
        calls += 1; return encode($0)
      }, progress: { _, _ in })
    #expect(calls == 0 && again.count == 4)
    let given = again.conditioning(["ddd", "a", "ddd"])
    #expect(given.tokens?.shape == [3, 3, 2])
    #expect(
      given.tokens?.scalars
        == [100, 1, 100, 1, 100, 1, 97, 1, 0, 0, 0, 0, 100, 1, 100, 1, 100, 1])
    #expect(given.mask?.scalars == [1, 1, 1, 1, 0, 0, 1, 1, 1])
    #expect(given.pooled?.scalars == [3, 1, 3])
    #expect(again.unconditional.mask?.scalars == [0])
    let other = try EncodedCaptions(
      ["a"], encoder: "other letters", folder: folder.path,
      encode: {
        calls += 1; return encode($0)
      }, progress: { _, _ in })
    #expect(calls == 1 && other.count == 1)
  }

  @Test("Pictures come as often as their weights say, with every caption")
  func weights() throws {
    let images = try set(weights: [1, 0, 3])
    let batches = try PromptedBatches(images, captions: captions(images), seed: 5)
    let texts = batches.batch(at: 0, count: 1200).captions
    // Twelve places an epoch: three of the first picture in each.
    for epoch in 0..<100 {
      let own = texts[(12 * epoch)..<(12 * epoch + 12)]
      #expect(own.count { $0 == "ddd" } == 9)
    }
    #expect(!texts.contains("c"))
    let short = texts.count { $0 == "a" }
    #expect(short > 100 && short < 200)
  }

  @Test("A batch depends on its position alone; held-out pictures come in order")
  func positions() throws {
    let images = try set()
    let encoded = try captions(images)
    let batches = try PromptedBatches(images, captions: encoded, seed: 5)
    let whole = batches.batch(at: 0, count: 30)
    let part = batches.batch(at: 11, count: 13)
    #expect(part.captions == Array(whole.captions[11..<24]))
    #expect(part.images.scalars == Array(whole.images.scalars[33..<72]))
    let other = try PromptedBatches(images, captions: encoded, seed: 6)
    #expect(other.batch(at: 0, count: 30).captions != whole.captions)
    let test = try PromptedBatches(images, captions: encoded, seed: 5, isTraining: false)
    #expect(test.batch(at: 2, count: 3).captions == ["ddd", "a", "c"])
  }

  @Test("What shows through is the caption's background, or white")
  func backgrounds() throws {
    let images = try set()
    let batches = try PromptedBatches(
      images, captions: captions(images), seed: 5, isTraining: false)
    let values = batches.batch(at: 0, count: 3).images
    #expect(values.shape == [3, 1, 1, 3])
    let half = Float(128) / 255
    let expected = [(20, 250), (100, 0), (200, 100)].map { (color: Float, back: Float) in
      2 * (color * half + back * (1 - half)) / 255 - 1
    }
    for (value, wanted) in zip(values.scalars.suffix(3), expected) {
      #expect(abs(value - wanted) < 1e-5)
    }
    #expect(abs(values.scalars[3] - (20.0 / 255 - 1)) < 1e-5)
  }

  @Test("Pictures without captions and weights of 0 are refused")
  func refused() throws {
    let images = try set()
    let encoded = try captions(images)
    let bare = try ImageSet(pixels: images.pixels)
    #expect(throws: DataError.self) { try PromptedBatches(bare, captions: encoded, seed: 1) }
    let weightless = try set(weights: [0, 0, 0])
    #expect(throws: DataError.self) { try PromptedBatches(weightless, captions: encoded, seed: 1) }
  }

  @Test("An index may give several captions, backgrounds and weights")
  func index() throws {
    try folder.write(
      "metadata.jsonl",
      """
      {"file_name": "1.png", "texts": ["a", {"text": "b", "background": "#0a0B0c"}], "weight": 0.5}
      {"file_name": "2.png", "text": "c"}
      """)
    let index = try ImageIndex(folder("metadata.jsonl"))
    let color = PixelColor(red: 10, green: 11, blue: 12)
    #expect(index.records[0].captions == [Caption("a"), Caption("b", background: color)])
    #expect(index.records.map(\.weight) == [0.5, 1])
    for line in [
      #"{"file_name": "1.png", "texts": []}"#, #"{"file_name": "1.png", "texts": [1]}"#,
      #"{"file_name": "1.png", "texts": [{"text": "a", "background": "red"}]}"#,
      #"{"file_name": "1.png", "text": "a", "weight": -1}"#,
      #"{"file_name": "1.png", "text": "a", "weight": "much"}"#,
    ] {
      try folder.write("bad.jsonl", line)
      #expect(throws: DataError.self) { try ImageIndex(folder("bad.jsonl")) }
    }
  }
}
