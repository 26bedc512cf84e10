import ItoComponents
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Memory of an autoencoder as a codec")
struct AutoencoderCodecTests {
  @Test("where memory is spared, only maps beyond 512 by 512 in float32 are cut into bands")
  func bands() {
    #expect(AutoencoderCodec.bandRows(mapBytes: 512 * 512 * 256 * 4) == nil)
    #expect(AutoencoderCodec.bandRows(mapBytes: 512 * 520 * 256 * 4) == 64)
    #expect(AutoencoderCodec.bandRows(mapBytes: 720 * 720 * 256 * 2) == nil)
    #expect(AutoencoderCodec.bandRows(mapBytes: 768 * 768 * 256 * 2) == 64)
  }

  @Test("large pictures of a batch are decoded one after the other, small ones together")
  func largePictures() throws {
    var json = try #require(TinyStableDiffusion.autoencoder.object)
    json["mid_block_add_attention"] = false
    var initial = ParameterInitializer(seed: 1)
    let network = try AutoencoderKL(configuration: .object(json), &initial)
    let codec = AutoencoderCodec(network: network, computeType: .float32, savesMemory: false)
    /// Bytes of tensors while `count` pictures are decoded, beyond those of the pictures.
    func peak(_ side: Int, _ count: Int) -> Int {
      let latents = randomTensor([count, side, side, 4], seed: 2)
      Runtime.resetPeak()
      let before = Runtime.memory.inUse
      let pictures = codec.decode(latents)
      return Runtime.memory.peak - before - (count > 1 ? 2 : 1) * pictures.byteCount
    }
    // 32 bytes a pixel of the largest map.
    #expect(peak(520, 2) < peak(520, 1) * 5 / 4)
    #expect(peak(128, 2) > peak(128, 1) * 7 / 4)
    let latents = randomTensor([2, 520, 520, 4], seed: 2)
    let apart = (0..<2).map { codec.decode(latents.sliced($0..<$0 + 1, axis: 0)) }
    #expect(codec.decode(latents).scalars == Tensor.concatenated(apart, axis: 0).scalars)
  }
}
