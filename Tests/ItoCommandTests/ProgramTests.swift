import ArgumentParser
import ItoDiffusion
import ItoPipelines
import Testing

@testable import ItoCommand

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A data set of 64 pictures of 8×8 pixels in two classes, and a recipe that trains on it.
struct Workshop {
  let folder = TemporaryFolder()

  init() {
    var images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 64, 0, 0, 0, 8, 0, 0, 0, 8]
    var labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 64]
    for k in 0..<64 {
      labels.append(UInt8(k % 2))
      for pixel in 0..<64 { images.append(UInt8((pixel * (k % 2 == 0 ? 3 : 1) + k * 7) % 256)) }
    }
    folder.write("images", images)
    folder.write("labels", labels)
    write(steps: 400)
  }

  func write(
    steps: Int, extra: String = "", name: String = "recipe.yaml", classes: String = "[a, b]"
  ) {
    folder.write(
      name,
      """
      seed: 3
      data:
        train: {name: idx, images: \(folder.path)/images, labels: \(folder.path)/labels}
        test: {name: idx, images: \(folder.path)/images, labels: \(folder.path)/labels}
        classes: \(classes)
        size: 8
        channels: 1
        flip: true
      network:
        _class_name: DiTTransformer2DModel
        sample_size: 8
        patch_size: 2
        in_channels: 1
        out_channels: 1
        num_layers: 1
        num_attention_heads: 2
        attention_head_dim: 8
        num_embeds_ada_norm: 2
      training:
        batch: 8
        steps: \(steps)
        save_every: 7
        log_every: 5
        validate_every: 50
        validation_count: 16
        ema: 0.9
      sampling: {solver: euler, steps: 4}
      run: \(folder.path)/run
      output: \(folder.path)/model
      \(extra)
      """)
  }

  func ito(_ arguments: String...) -> Program.Outcome { Program.run(arguments, in: folder) }
}

@Suite("The program", .enabled(if: Program.path != nil), .serialized)
struct ProgramTests {
  @Test("killed twenty times at random and resumed, training ends with the same bytes")
  func killedAndResumed() {
    let shop = Workshop()
    let whole = shop.ito(
      "train", "\(shop.folder.path)/recipe.yaml", "--threads", "1", "--run",
      "\(shop.folder.path)/whole", "--output", "\(shop.folder.path)/whole-model")
    #expect(whole.status == 0, "\(whole.text)")
    var generator = SystemRandomNumberGenerator()
    var kills = 0
    // One thread: what is tested is files, and the machine may be busy with other tests.
    let recipe = ["train", "\(shop.folder.path)/recipe.yaml", "--threads", "1"]
    var arguments = recipe
    var isDone = false
    for _ in 0..<20 where !isDone {
      guard let child = Program.start(arguments, log: shop.folder.path + "/log") else { break }
      usleep(UInt32.random(in: 40_000...160_000, using: &generator))
      kill(child, SIGKILL)
      if Program.wait(child) == nil { kills += 1 } else { isDone = true }
      // Nothing to resume before the first checkpoint.
      let steps = shop.folder.path + "/run"
      if access(steps, F_OK) == 0, hasCheckpoint(steps) {
        arguments = recipe + ["--resume"]
      }
    }
    #expect(kills >= 1)
    let last = Program.run(arguments, in: shop.folder)
    #expect(last.status == 0, "\(last.text)")
    let expected = shop.folder.bytes(shop.folder.path + "/whole-model/model.safetensors")
    #expect(!expected.isEmpty)
    #expect(shop.folder.bytes(shop.folder.path + "/model/model.safetensors") == expected)
  }

  private func hasCheckpoint(_ folder: String) -> Bool {
    guard let entries = opendir(folder) else { return false }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix("step-") && name.hasSuffix(".json") { return true }
    }
    return false
  }

  @Test("Ctrl-C finishes the step, saves and says how to go on")
  func interrupted() {
    let shop = Workshop()
    shop.write(steps: 1_000_000)
    let log = shop.folder.path + "/log"
    guard let child = Program.start(["train", "\(shop.folder.path)/recipe.yaml"], log: log) else {
      return
    }
    usleep(400_000)
    kill(child, SIGINT)
    #expect(Program.wait(child) == 1)
    #expect(shop.folder.text(log).contains("--resume"))
    #expect(hasCheckpoint(shop.folder.path + "/run"))
  }

  @Test("train, inspect, generate and a second run in the same folder")
  func wholeRoad() {
    let shop = Workshop()
    shop.write(steps: 30)
    let recipe = "\(shop.folder.path)/recipe.yaml", model = "\(shop.folder.path)/model"
    let trained = shop.ito("train", recipe, "--threads", "1")
    #expect(trained.status == 0, "\(trained.text)")
    let again = shop.ito("train", recipe, "--threads", "1")
    #expect(again.status == 1)
    #expect(again.text.contains("reached step 30"), "\(again.text)")
    let inspected = shop.ito("inspect", model)
    #expect(inspected.text.contains("patch") || inspected.text.contains("pos_embed"))
    let sheet = "\(shop.folder.path)/sheet.png"
    let drawn = shop.ito("generate", "--model", model, "--count", "2", "--sheet", sheet, "--json")
    #expect(drawn.status == 0, "\(drawn.text)")
    #expect(drawn.text.contains("\"pictures\":4"))
    #expect(shop.folder.bytes(sheet).prefix(4) == [0x89, 0x50, 0x4E, 0x47])
    let timed = shop.ito("bench", model, "--rounds", "1", "--batch", "3", "--profile", "--json")
    #expect(timed.status == 0, "\(timed.text)")
    for part in ["load", "denoiser", "decode"] {
      #expect(timed.text.contains("\"part\":\"\(part)\""), "\(timed.text)")
    }
    #expect(!timed.text.contains("\"part\":\"text\""))
    #expect(timed.text.contains("\"operation\":\"Matmul\""), "\(timed.text)")
    let roof = "\(shop.folder.path)/roof.svg"
    #expect(shop.ito("bench", model, "--rounds", "1", "--roofline", roof).text.contains("peak"))
    let drawing = String(decoding: shop.folder.bytes(roof), as: UTF8.self)
    #expect(drawing.hasPrefix("<svg") && drawing.contains("Matmul") && drawing.contains("GFLOP/s"))
    let one = "\(shop.folder.path)/one.png", two = "\(shop.folder.path)/two.png"
    _ = shop.ito("generate", "b", "--model", model, "--seed", "5", "--output", one)
    _ = shop.ito("generate", "1", "--model", model, "--seed", "5", "--output", two)
    #expect(!shop.folder.bytes(one).isEmpty)
    #expect(shop.folder.bytes(one) == shop.folder.bytes(two))
    #expect(String(decoding: shop.folder.bytes(one), as: UTF8.self).contains("Seed: 5"))
  }

  @Test("how passes are evaluated is the request's, and left to the model unless given")
  func passes() throws {
    let shop = Workshop()
    shop.write(steps: 2)
    let model = "\(shop.folder.path)/model"
    #expect(
      shop.ito("train", "\(shop.folder.path)/recipe.yaml", "--threads", "1").status == 0)
    let generator = try ImageGenerator(model)
    for (arguments, expected) in [
      ([], nil), (["--passes", "batched"], .batched), (["--passes", "sequential"], .sequential),
    ] as [([String], PassExecution?)] {
      var request = GenerationRequest(labels: [0])
      try SamplingOptions.parse(arguments).apply(to: &request, for: generator)
      #expect(request.passes == expected)
    }
    // A picture's record does not say how it was computed.
    let files = ["batched", "sequential"].map { passes in
      let file = "\(shop.folder.path)/\(passes).png"
      let drawn = shop.ito(
        "generate", "b", "--model", model, "--cfg-scale", "2", "--passes", passes, "--output", file)
      #expect(drawn.status == 0, "\(drawn.text)")
      return shop.folder.bytes(file)
    }
    #expect(!files[0].isEmpty && files[0] == files[1])
  }

  @Test("a recipe's initial weights are what training starts from")
  func startsFromWeights() {
    let shop = Workshop()
    shop.write(steps: 2)
    let recipe = "\(shop.folder.path)/recipe.yaml", model = "\(shop.folder.path)/model"
    #expect(shop.ito("train", recipe, "--threads", "1").status == 0)
    // A step of rate 0 leaves the weights as they were.
    let text = shop.folder.text(recipe)
    let still = text.replacing(
      "steps: 2\n", with: "steps: 1\n  learning_rate: 0\n  initial: \(model)\n")
    shop.folder.write("still.yaml", still)
    let other = "\(shop.folder.path)/other"
    let tuned = shop.ito(
      "train", "\(shop.folder.path)/still.yaml", "--threads", "1", "--run", other + "-run",
      "--output", other)
    #expect(tuned.status == 0, "\(tuned.text)")
    let before = shop.folder.bytes(model + "/model.safetensors")
    #expect(!before.isEmpty)
    #expect(shop.folder.bytes(other + "/model.safetensors") == before)
    // Weights of another network are refused by name, and so is a file that is not there.
    shop.folder.write("bad.yaml", still.replacing("num_layers: 1", with: "num_layers: 2"))
    let bad = shop.ito(
      "train", "\(shop.folder.path)/bad.yaml", "--run", other + "-bad", "--output", other)
    #expect(bad.status == 1 && bad.text.contains("transformer_blocks.1"), "\(bad.text)")
    shop.folder.write("bad.yaml", still.replacing("initial: \(model)", with: "initial: /nowhere"))
    #expect(shop.ito("train", "\(shop.folder.path)/bad.yaml").text.contains("/nowhere"))
  }

  @Test("bad recipes are explained, with status 1")
  func badRecipes() {
    let shop = Workshop()
    func training(_ change: (String) -> String) -> Program.Outcome {
      let text = shop.folder.text(shop.folder.path + "/recipe.yaml")
      shop.folder.write("bad.yaml", change(text))
      return shop.ito("train", "\(shop.folder.path)/bad.yaml")
    }
    func check(_ words: String, _ change: (String) -> String) {
      let outcome = training(change)
      #expect(outcome.status == 1)
      #expect(outcome.text.contains(words), "\(outcome.text)")
    }
    check("did you mean \"batch\"") { $0.replacing("batch:", with: "batsh:") }
    check("training.steps") { $0.replacing("steps: 400", with: "steps: many") }
    check("training.batch") { $0.replacing("batch: 8", with: "batch: 0") }
    check("num_layers") { $0.replacing("num_layers: 1", with: "num_layers: -4") }
    check("channels") { $0.replacing("in_channels: 1", with: "in_channels: 3") }
    check("classes") { $0.replacing("num_embeds_ada_norm: 2", with: "num_embeds_ada_norm: 1") }
    check("absent") { $0.replacing("/images,", with: "/absent,") }
    check("not valid YAML") { $0 + "\n  : : [" }
    check("uniq") { $0 + "\nseed: 4" }
    check("empty") { _ in "" }
    #expect(shop.ito("train", "/nowhere.yaml").status == 1)
    #expect(shop.ito("train", "\(shop.folder.path)/recipe.yaml", "--resume").status == 1)
  }

  @Test("waits shortly for other threads, unless told otherwise", arguments: ["2000", "77"])
  func waitPolicy(_ spins: String) {
    let shop = Workshop()
    setenv("OMP_DISPLAY_ENV", "VERBOSE", 1)
    if spins != "2000" { setenv("GOMP_SPINCOUNT", spins, 1) }
    defer {
      unsetenv("OMP_DISPLAY_ENV")
      unsetenv("GOMP_SPINCOUNT")
    }
    let outcome = shop.ito("--version")
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("GOMP_SPINCOUNT = '\(spins)'"), "\(outcome.text)")
    #expect(outcome.text.hasSuffix("\(itoVersion)\n"))
  }

  @Test("bad options are explained, with a status that is not 0")
  func badOptions() {
    let shop = Workshop()
    for arguments in [
      ["generate", "--threads", "0"], ["generate", "--count", "0"], ["generate", "--model", "/no"],
      ["generate", "--noise", "dice"], ["generate", "--passes", "dice"],
      ["generate", "--sise", "3"], ["inspect", "/nowhere"],
      ["parity", "/nowhere"], ["eval", "--count", "1"], ["paint"],
      ["bench", "--size", "512"], ["bench", "--rounds", "0"], ["bench", "/nowhere"],
      ["bench", "--against", "abacus"],
    ] {
      let outcome = Program.run(arguments, in: shop.folder)
      #expect((outcome.status ?? 0) != 0, "\(arguments)")
      #expect(outcome.text.count > 20, "\(arguments): \(outcome.text)")
    }
    #expect(shop.ito("--version").text == "\(itoVersion)\n")
    #expect(shop.ito("--help").text.contains("ito generate"))
  }
}
