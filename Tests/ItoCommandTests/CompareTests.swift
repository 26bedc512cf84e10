import ItoComponents
import Testing

@testable import ItoCommand

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite("Comparing variants of a recipe")
struct CompareTests {
  @Test("Values end at commas, but not those of a component's options")
  func variations() throws {
    let variation = try RecipeVariation(
      parsing: "optimizer=muon:momentum=0.9,iterations=4,adamw,sgd:a=1")
    #expect(variation.key == "optimizer")
    #expect(variation.values == ["muon:momentum=0.9,iterations=4", "adamw", "sgd:a=1"])
    for bad in ["weighting", "=a", "weighting="] {
      #expect(throws: CommandFailure.self) { try RecipeVariation(parsing: bad) }
    }
  }

  @Test("A setting is found in its section; a distribution of times is no weighting")
  func settings() throws {
    let source: JSONValue = ["diffusion": ["weighting": "none"], "training": ["steps": 3]]
    func applied(_ text: String, known: Set<String>) throws -> JSONValue {
      let variation = try RecipeVariation(parsing: text)
      return try variation.applied(to: source, value: variation.values[0]) { changed in
        known.contains { name in
          let path = name.split(separator: ".").map(String.init)
          return changed[path[0]]?[path[1]] != source[path[0]]?[path[1]]
        }
      }
    }
    #expect(
      try applied("weighting=min-snr", known: ["diffusion.weighting"])["diffusion"]?["weighting"]
        == "min-snr")
    let times = try applied("weighting=logit-normal", known: ["diffusion.times"])
    #expect(times["diffusion"] == ["weighting": "none", "times": "logit-normal"])
    #expect(try applied("training.ema=0.5", known: ["training.ema"])["training"]?["ema"] == 0.5)
    #expect(throws: CommandFailure.self) { try applied("wait=1", known: []) }
    #expect(throws: CommandFailure.self) {
      try applied("schedule=cosine", known: ["diffusion.schedule", "training.schedule"])
    }
  }

  @Test("Budgets are times or numbers of steps")
  func budgets() throws {
    #expect(try Budget(parsing: "20m") == .seconds(1200))
    #expect(try Budget(parsing: "90s") == .seconds(90))
    #expect(try Budget(parsing: "1.5h") == .seconds(5400))
    #expect(try Budget(parsing: "500") == .steps(500))
    for bad in ["", "0", "-3", "m", "0m", "nanm", "20x"] {
      #expect(throws: CommandFailure.self, "\(bad)") { try Budget(parsing: bad) }
    }
  }
}

extension ProgramTests {
  @Test("a comparison trains every variant alike and writes table, curves and pictures")
  func compare() throws {
    let shop = Workshop()
    let out = shop.folder.path + "/compared"
    let arguments = [
      "compare", shop.folder.path + "/recipe.yaml", "--vary", "weighting=min-snr,logit-normal",
      "--budget", "12", "--threads", "1", "--output", out,
    ]
    let first = Program.run(arguments, in: shop.folder)
    #expect(first.status == 0, "\(first.text)")
    let table = shop.folder.text(out + "/comparison.md")
    for name in ["as it is", "weighting=min-snr", "weighting=logit-normal", "held-out clean_error"]
    {
      #expect(table.contains(name), "\(table)")
    }
    #expect(!table.contains("not done"))
    #expect(table.split(separator: "\n").count == 5)
    #expect(shop.folder.text(out + "/held-out.svg").contains("</svg>"))
    #expect(shop.folder.bytes(out + "/pictures.png").prefix(4) == [0x89, 0x50, 0x4E, 0x47])
    let changed = try JSONValue.parse(shop.folder.text(out + "/weighting-logit-normal/recipe.yaml"))
    #expect(changed["diffusion"]?["times"] == "logit-normal")
    // What is done is not done again.
    let log = shop.folder.bytes(out + "/as-it-is/run/log.jsonl")
    #expect(Program.run(arguments, in: shop.folder).status == 0)
    #expect(shop.folder.bytes(out + "/as-it-is/run/log.jsonl") == log)
    #expect(shop.folder.text(out + "/comparison.md") == table)
    // Curves have points on the way.
    let measured = String(decoding: log, as: UTF8.self).split(separator: "\n")
      .filter { $0.contains("validation_clean_error") }
    #expect(measured.count >= 5, "\(measured)")
    // Other variants join those that are there.
    let more = Program.run(
      arguments.map { $0.hasPrefix("weighting") ? "optimizer=muon" : $0 }, in: shop.folder)
    #expect(more.status == 0, "\(more.text)")
    #expect(shop.folder.bytes(out + "/as-it-is/run/log.jsonl") == log)
    let joined = shop.folder.text(out + "/comparison.md")
    for row in table.split(separator: "\n") { #expect(joined.contains(row), "\(joined)") }
    #expect(joined.contains("| optimizer=muon |") && !joined.contains("not done"))
    let other = Program.run(
      arguments.map { $0 == "12" ? "13" : $0 }, in: shop.folder)
    #expect(other.status == 1)
    #expect(other.text.contains("--output"), "\(other.text)")
  }

  @Test("a comparison that is stopped goes on, to the same models")
  func compareResumed() {
    let shop = Workshop()
    func arguments(_ out: String) -> [String] {
      [
        "compare", shop.folder.path + "/recipe.yaml", "--vary", "seed=3,4", "--budget", "300",
        "--threads", "1", "--output", shop.folder.path + "/" + out,
      ]
    }
    let log = shop.folder.path + "/log"
    guard let child = Program.start(arguments("stopped"), log: log) else { return }
    // Once it trains, Ctrl-C is heard.
    for _ in 0..<600 where !shop.folder.text(log).contains("seed=3: 300 steps") { usleep(50_000) }
    kill(child, SIGINT)
    let status = Program.wait(child)
    if status != 0 { #expect(shop.folder.text(log).contains("goes on")) }
    #expect(Program.run(arguments("stopped"), in: shop.folder).status == 0)
    #expect(Program.run(arguments("whole"), in: shop.folder).status == 0)
    for variant in ["seed-3", "seed-4"] {
      let file = "/\(variant)/model/model.safetensors"
      let bytes = shop.folder.bytes(shop.folder.path + "/stopped" + file)
      #expect(!bytes.isEmpty)
      #expect(bytes == shop.folder.bytes(shop.folder.path + "/whole" + file))
    }
  }

  @Test("a variant that cannot draw with the recipe's sampler costs the others nothing")
  func compareWithoutPictures() {
    let shop = Workshop()
    let out = shop.folder.path + "/compared"
    // What predicts noise says nothing of the picture at pure noise, where a flow starts.
    let outcome = Program.run(
      [
        "compare", shop.folder.path + "/recipe.yaml", "--vary", "parameterization=epsilon,v",
        "--budget", "5", "--threads", "1", "--output", out,
      ], in: shop.folder)
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(outcome.text.contains("parameterization=epsilon: no pictures"), "\(outcome.text)")
    #expect(outcome.text.contains("| parameterization=epsilon |"), "\(outcome.text)")
    #expect(shop.folder.bytes(out + "/pictures.png").prefix(4) == [0x89, 0x50, 0x4E, 0x47])
  }

  @Test("a budget in time becomes steps, and leaves no trial behind")
  func compareBudget() throws {
    let shop = Workshop()
    let out = shop.folder.path + "/timed"
    let outcome = Program.run(
      [
        "compare", shop.folder.path + "/recipe.yaml", "--budget", "0.5s", "--threads", "1",
        "--output", out,
      ], in: shop.folder)
    #expect(outcome.status == 0, "\(outcome.text)")
    let state = try JSONValue.parse(shop.folder.text(out + "/comparison.json"))
    #expect((state["variants"]?[0]?["steps"]?.int ?? 0) > 1)
    #expect(access(out + "/as-it-is/probe", F_OK) != 0)
  }
}

extension ProgramTests {
  @Test("the length of an average is chosen after training")
  func average() {
    let shop = Workshop()
    shop.write(steps: 40)
    let recipe = shop.folder.path + "/recipe.yaml", model = shop.folder.path + "/model"
    let text = shop.folder.text(recipe)
    shop.folder.write(
      "recipe.yaml",
      text.replacing(
        "ema: 0.9",
        with: "ema: [{name: power, length: 0.05}, {name: power, length: 0.1}]\n  snapshots: 10"))
    let trained = shop.ito("train", recipe, "--threads", "1")
    #expect(trained.status == 0, "\(trained.text)")
    func averaged(_ length: String, _ output: String) -> [UInt8] {
      let outcome = shop.ito(
        "average", shop.folder.path + "/run", "--model", model, "--length", length, "--output",
        shop.folder.path + "/" + output)
      #expect(outcome.status == 0, "\(outcome.text)")
      return shop.folder.bytes("\(shop.folder.path)/\(output)/model.safetensors")
    }
    let one = averaged("0.1", "one"), two = averaged("0.2", "two")
    #expect(!one.isEmpty && one.count == two.count && one != two)
    let drawn = shop.ito(
      "generate", "--model", shop.folder.path + "/two", "--sheet", shop.folder.path + "/s.png")
    #expect(drawn.status == 0, "\(drawn.text)")
    let nothing = shop.ito(
      "average", shop.folder.path, "--model", model, "--length", "0.1", "--output",
      shop.folder.path + "/three")
    #expect(nothing.status == 1)
    #expect(
      shop.ito("average", recipe, "--model", model, "--length", "2", "--output", "x").status != 0)
  }
}
