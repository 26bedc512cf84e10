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
