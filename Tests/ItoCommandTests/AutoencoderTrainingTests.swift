import ItoComponents
import Testing

@testable import ItoCommand

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension ProgramTests {
  @Test("An autoencoder is trained, its latents are cached and denoised, and the model is complete")
  func autoencoder() throws {
    let shop = Workshop(), root = shop.folder.path
    let plain = shop.folder.text(root + "/recipe.yaml")
    let network = plain[
      (plain.firstRange(of: "network:")!.lowerBound)..<(plain.firstRange(of: "training:")!
        .lowerBound)]
    let autoencoder = """
      network:
        _class_name: AutoencoderKL
        in_channels: 1
        out_channels: 1
        latent_channels: 2
        block_out_channels: [8, 8]
        down_block_types: [DownEncoderBlock2D, DownEncoderBlock2D]
        up_block_types: [UpDecoderBlock2D, UpDecoderBlock2D]
        norm_num_groups: 4

      """
    shop.folder.write(
      "autoencoder.yaml",
      "task: autoencode\n"
        + plain.replacing(network, with: autoencoder).replacing("steps: 400", with: "steps: 40")
        .replacing("ema: 0.9", with: "ema: 0.9\n  learning_rate: 5.0e-3\n  precision: float32")
        .replacing("{solver: euler, steps: 4}", with: "{every: 20}")
        .replacing("/run", with: "/ae-run").replacing("/model", with: "/ae"))
    let trained = shop.ito("train", root + "/autoencoder.yaml", "--threads", "1")
    #expect(trained.status == 0, "\(trained.text)")
    #expect(trained.text.contains("standard deviation"), "\(trained.text)")
    let scale = try JSONValue.parse(shop.folder.text(root + "/ae/config.json"))["scaling_factor"]
    #expect((scale?.double ?? 0) > 0 && scale?.double != 0.18215)
    #expect(!shop.folder.bytes(root + "/ae-run/samples/step-00000020.png").isEmpty)
    let losses = shop.folder.text(root + "/ae-run/log.jsonl").split(separator: "\n").compactMap {
      (try? JSONValue.parse(String($0)))?["loss"]?.double
    }
    #expect((losses.last ?? 1) < 0.8 * (losses.first ?? 0), "\(losses)")

    shop.folder.write(
      "latent.yaml",
      plain.replacing("steps: 400", with: "steps: 10")
        .replacing("  flip: true\n", with: "  flip: true\n  latents: \(root)/latents\n")
        .replacing("sample_size: 8", with: "sample_size: 4")
        .replacing("in_channels: 1", with: "in_channels: 2")
        .replacing("out_channels: 1", with: "out_channels: 2")
        .replacing(
          "training:", with: "diffusion: {codec: \"autoencoder:path=\(root)/ae\"}\ntraining:"))
    let second = shop.ito("train", root + "/latent.yaml", "--threads", "1")
    #expect(second.status == 0, "\(second.text)")
    // The model has what it needs; the first one may go.
    #expect(rename(root + "/ae", root + "/elsewhere") == 0)
    func draw(_ model: String) -> [UInt8] {
      let drawn = shop.ito(
        "generate", "--model", "\(root)/\(model)", "--sheet", "\(root)/\(model).png", "--threads",
        "1")
      #expect(drawn.status == 0, "\(drawn.text)")
      return shop.folder.bytes("\(root)/\(model).png")
    }
    #expect(!draw("model").isEmpty)
    let small = shop.ito(
      "convert", root + "/model", root + "/small", "--dtype", "int8", "--threads", "1")
    #expect(small.status == 0 && small.text.contains("root mean square"), "\(small.text)")
    #expect(!draw("small").isEmpty)
    let lost = shop.ito("train", root + "/latent.yaml", "--run", root + "/other")
    #expect(lost.status == 1 && lost.text.contains("\(root)/ae/config.json"), "\(lost.text)")
  }
}
