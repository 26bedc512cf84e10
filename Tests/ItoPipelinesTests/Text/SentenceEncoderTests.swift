import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

private let encoderFolder: String = {
  let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
  return "/\(root)/Models/emoji/text_encoder"
}()

@Suite("Prompts in free words")
struct SentenceEncoderTests {
  private let encoder: any TextEncoder

  init() throws { encoder = try TextEncoderFamily.load(folder: encoderFolder) }

  private func likeness(_ a: String, _ b: String) throws -> Double {
    let pooled = try #require(try encoder.encode([a, b]).pooled)
    let rows = pooled.chunks(2, axis: 0)
    return Double((rows[0] * rows[1]).sum().item)
  }

  @Test("Sentences of one meaning are alike; the encoder in 8 bits still knows")
  func meaning() throws {
    #expect(try likeness("a cup of coffee", "a cup of coffee") > 0.9999)
    let same = try likeness("a green automobile", "a green car")
    let other = try likeness("a green automobile", "a slice of pizza")
    #expect(same > 0.8 && other < 0.4)
  }

  @Test("A prompt's encoding does not depend on what it is padded with")
  func padding() throws {
    let alone = try encoder.encode(["a cat"])
    let beside = try encoder.encode(["a cat", "a much longer prompt about a dog in a hat"])
    #expect(alone.tokens?.shape == [1, 4, 384] && alone.mask?.scalars == [1, 1, 1, 1])
    let own = try #require(beside.tokens?.sliced(0..<1, axis: 0).sliced(0..<4, axis: 1))
    #expect(relativeRMSError(own, try #require(alone.tokens)) < 1e-5)
    #expect(beside.mask?.scalars.prefix(11).count { $0 != 0 } == 4)
  }

  @Test("Long prompts are cut, and no prompt at all fits beside any")
  func limits() throws {
    let long = try encoder.encode([
      [String](repeating: "word", count: 200).joined(separator: " ")
    ])
    #expect(long.tokens?.shape == [1, 48, 384])
    let joined = Conditioning.batched([long, encoder.unconditional])
    #expect(joined?.tokens?.shape == [2, 48, 384])
    #expect(joined?.mask?.scalars.suffix(48).allSatisfy { $0 == 0 } == true)
  }

  @Test("Without a negative prompt guidance pushes away from nothing asked")
  func prompts() throws {
    let prompts = TextPrompts(encoder: encoder)
    let facts = PictureFacts(height: 8, width: 8)
    let plain = try prompts.encode(Prompt("a cat"), for: facts)
    #expect(plain.negative.mask?.scalars == [0])
    let negative = try prompts.encode(Prompt("a cat", negative: "a dog"), for: facts)
    #expect(negative.negative.mask?.scalars == [1, 1, 1, 1])
  }

  @Test("A folder that holds no text encoder is named")
  func refused() {
    #expect(throws: PipelineError.self) { try TextEncoderFamily.load(folder: "/nowhere") }
  }
}
