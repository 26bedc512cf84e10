import Testing

@testable import ItoCommand

extension ProgramTests {
  @Test("a transformer is trained with hidden tokens, resumed, tuned without, and draws")
  func maskedTraining() {
    let shop = Workshop()
    shop.write(steps: 24)
    let folder = shop.folder.path, recipe = folder + "/recipe.yaml"
    let plain = shop.folder.text(recipe).replacing("num_layers: 1", with: "num_layers: 3")
      .replacing("ema: 0.9", with: "precision: float32\n  ema: 0.9")
    func write(_ diffusion: String, _ text: String) {
      shop.folder.write("recipe.yaml", text + "\ndiffusion: {\(diffusion)}\n")
    }
    write("masking: \"mask-dit:decoder=1\"", plain)
    let first = shop.ito("train", recipe, "--threads", "1", "--steps", "12")
    #expect(first.status == 0, "\(first.text)")
    let resumed = shop.ito("train", recipe, "--threads", "1", "--resume")
    #expect(resumed.status == 0, "\(resumed.text)")
    let drawn = shop.ito("generate", "--model", folder + "/model", "--sheet", folder + "/s.png")
    #expect(drawn.status == 0, "\(drawn.text)")
    // The paper's last step: a little training in which all is seen.
    write(
      "masking: none",
      plain.replacing("ema: 0.9", with: "ema: 0.9\n  initial: \(folder)/model"))
    let tuned = shop.ito(
      "train", recipe, "--threads", "1", "--run", folder + "/tuned", "--output",
      folder + "/tuned-model")
    #expect(tuned.status == 0, "\(tuned.text)")

    write("masking: mask-dit, routing: \"tread:first=0,last-from-end=1\"", plain)
    let both = shop.ito("train", recipe, "--threads", "1", "--run", folder + "/both")
    #expect(both.status == 1 && both.text.contains("leave one out"), "\(both.text)")
    write("masking: \"mask-dit:decoder=3\"", plain)
    let small = shop.ito("train", recipe, "--threads", "1", "--run", folder + "/small")
    #expect(small.status == 1 && small.text.contains("at least 4 blocks"), "\(small.text)")
  }
}
