import ItoComponents
import Testing

@testable import ItoCommand

extension ProgramTests {
  @Test("two folders of pictures are compared, by pairs and as sets")
  func evaluateFolders() throws {
    let shop = Workshop()
    shop.write(steps: 20)
    let recipe = shop.folder.path + "/recipe.yaml", model = shop.folder.path + "/model"
    #expect(shop.ito("train", recipe, "--threads", "1").status == 0)
    func draw(_ folder: String, _ noise: String) {
      let drawn = shop.ito(
        "generate", "--model", model, "--count", "6", "--noise", noise, "--output", folder)
      #expect(drawn.status == 0, "\(drawn.text)")
    }
    let full = shop.folder.path + "/full", changed = shop.folder.path + "/other"
    draw(full, "torch")
    draw(changed, "philox")
    func figures(_ pictures: String, _ options: String...) throws -> [String: JSONValue] {
      let outcome = Program.run(
        ["eval", "--pictures", pictures, "--reference", full, "--json"] + options, in: shop.folder)
      #expect(outcome.status == 0, "\(outcome.text)")
      let json = try JSONValue.parse(outcome.text)
      #expect(json["pictures"] == 12)
      return Dictionary(
        uniqueKeysWithValues: (json["figures"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) })
    }
    let same = try figures(full)
    #expect(abs((same["psnr"]?["value"]?.double ?? 0) - 58.92) < 0.01)
    #expect(same["nearest-top1"]?["value"]?.double == 100)
    // Pictures of 8 pixels are smaller than the window of SSIM, and there is no judge.
    #expect(same["ssim"] == nil && same["frechet"] == nil)
    let other = try figures(changed, "--metrics", "psnr")
    #expect(other.count == 1)
    let value = other["psnr"]?["value"]?.double ?? 0
    #expect(value > 5 && value < 58)
    #expect((other["psnr"]?["low"]?.double ?? 99) <= value)

    // A model draws what the reference's captions say.
    for k in 0..<12 {
      let name = k < 6 ? "a" : "b"
      shop.folder.write("full/\(name)-\(k).txt", name)
    }
    let drawn = shop.ito(
      "eval", model, "--reference", full, "--count", "4", "--metrics", "nearest", "--json")
    #expect(drawn.status == 0, "\(drawn.text)")
    #expect(drawn.text.contains("\"pictures\":4"), "\(drawn.text)")

    let impossible = shop.ito(
      "eval", "--pictures", full, "--reference", changed, "--metrics", "frechet")
    #expect(impossible.status == 1)
    #expect(impossible.text.contains("frechet cannot be measured"), "\(impossible.text)")
    #expect(shop.ito("eval", "--pictures", full).status != 0)
    let nowhere = shop.ito("eval", "--pictures", full, "--reference", shop.folder.path + "/nowhere")
    #expect(nowhere.status == 1)
    let unknown = shop.ito("eval", "--pictures", full, "--reference", full, "--metrics", "beauty")
    #expect(unknown.status == 1)
    #expect(unknown.text.contains("psnr"), "\(unknown.text)")
  }
}

extension ProgramTests {
  /// The text encoder in the repository.
  private static let textEncoder =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    .joined(separator: "/") + "/Models/emoji/text_encoder"

  @Test("a network learns to match pictures with captions, and judges other pictures")
  func matching() throws {
    let shop = Workshop()
    shop.write(steps: 5)
    let recipe = shop.folder.path + "/recipe.yaml", model = shop.folder.path + "/model"
    let drawings = shop.folder.path + "/drawings"
    #expect(shop.ito("train", recipe, "--threads", "1").status == 0)
    #expect(
      shop.ito("generate", "--model", model, "--count", "4", "--output", drawings).status == 0)
    let captions = [
      "a red apple", "a green car", "a dog", "the sun", "a house", "rain", "a key", "tea",
    ]
    for k in 0..<8 {
      shop.folder.write("drawings/\(k < 4 ? "a" : "b")-\(k).txt", captions[k])
    }
    func matcher(_ change: (String) -> String = { $0 }) -> Program.Outcome {
      let text = """
        task: match
        data:
          train: {name: folder, path: \(drawings)}
          size: 8
        text: {encoder: \(Self.textEncoder), cache: \(shop.folder.path)/captions}
        network:
          _class_name: ItoPictureTextEncoder
          patch_size: 1
          block_out_channels: [16]
          text_width: 32
          features: 16
        training: {batch: 8, steps: 60, precision: float32, learning_rate: 0.01, ema: 0}
        output: \(shop.folder.path)/matcher
        run: \(shop.folder.path)/match-run
        """
      shop.folder.write("match.yaml", change(text))
      return shop.ito("train", shop.folder.path + "/match.yaml", "--threads", "1")
    }
    let wrong = matcher { $0.replacing("patch_size: 1", with: "patch_size: 1\n  text_features: 7") }
    #expect(wrong.status == 1)
    #expect(wrong.text.contains("text_features"), "\(wrong.text)")
    let trained = matcher()
    #expect(trained.status == 0, "\(trained.text)")
    let judged = shop.ito(
      "eval", "--pictures", drawings, "--reference", drawings, "--encoder",
      shop.folder.path + "/matcher", "--text-encoder", Self.textEncoder, "--metrics",
      "retrieval,caption-score", "--json")
    #expect(judged.status == 0, "\(judged.text)")
    let figures = try JSONValue.parse(judged.text)["figures"]?.array ?? []
    #expect(figures.map { $0["name"]?.string } == ["retrieval", "caption-score"])
    // Eight pictures that it was trained on, among eight captions; chance is 12.5 %.
    #expect((figures.first?["value"]?.double ?? 0) >= 50)
    #expect(figures.first?["real"]?.double == figures.first?["value"]?.double)
  }
}
