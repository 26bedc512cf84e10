import ArgumentParser
import ItoComponents
import ItoTensors
import ItoTraining

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train variants of a recipe in turn and compare them.",
    discussion: """
      Every variant gets the recipe's seed and the same budget. The figure is the error on held-out data:
      for denoisers that of the clean estimate, which means the same whatever the loss is. Without \
      --vary only the recipe itself is trained. Several --vary are combined.

      The folder gets comparison.md (a table), held-out.svg and loss.svg (curves), pictures.png (the same \
      seeds side by side), and a folder with recipe, log and model for each variant. Ctrl-C finishes the \
      step; the same command goes on. Another --vary with the same recipe, budget and folder adds its \
      variants to those that are there.

      Examples:
        ito compare Recipes/fashion-mnist.yaml --vary weighting=min-snr,logit-normal --budget 20m
        ito compare mine.yaml --vary optimizer=adamw,muon:momentum=0.95 --vary seed=1,2 --budget 500
        ito compare mine.yaml --vary training.ema=0.999,power --budget 1h --output out/ema
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "The recipe, a YAML file.")
  var recipe: String

  @Option(help: "A setting and its values: KEY=VALUE,VALUE…; may be given several times.")
  var vary: [String] = []

  @Option(
    help: "Training of each variant: a time such as 20m (of all threads), or a number of steps.")
  var budget = "20m"

  @Option(help: "Folder for everything (default: out/compare-RECIPE).")
  var output: String?

  func run() throws {
    shared.apply()
    let budget = try Budget(parsing: budget)
    let stem = recipe.split(separator: "/").last?.split(separator: ".").first ?? "recipe"
    var comparison = try Comparison(
      recipe: recipe, variations: try vary.map { try RecipeVariation(parsing: $0) },
      budget: self.budget, folder: output ?? "out/compare-\(stem)")
    let interrupt = Interrupt.watch()
    for index in comparison.variants.indices
    where comparison.variants[index].isWanted && !comparison.variants[index].isDone {
      do {
        try train(index, in: &comparison, budget)
      } catch {
        guard interrupt.isRequested else { throw error }
        throw CommandFailure(
          "Stopped; everything is saved in \(comparison.folder). The same command goes on.")
      }
      try ComparisonReport(comparison).write()
    }
    let report = ComparisonReport(comparison)
    try report.write()
    for problem in try report.writePictures(isCancelled: { interrupt.isRequested }) {
      note(problem)
    }
    if shared.json {
      Terminal.output(
        JSONValue.object([
          "folder": .string(comparison.folder), "figure": .string(report.figure),
          "table": .string(report.table),
        ]).text())
    } else {
      Terminal.output(report.table + comparison.folder)
    }
  }

  /// Trains variant `index`, from where it was.
  private func train(
    _ index: Int, in comparison: inout Comparison, _ budget: Budget
  ) throws {
    let folder = comparison.folder(of: index)
    try makeFolder(folder)
    let file = folder + "/recipe.yaml"
    try AtomicFile.write(file, bytes: comparison.variants[index].recipe.utf8(.pretty))
    let steps: Int
    if let known = comparison.variants[index].steps {
      steps = known
    } else {
      // Kept, so that a comparison that is stopped goes on with the same.
      note("\(comparison.variants[index].name): measuring")
      steps = try self.steps(of: file, budget, folder)
      comparison.variants[index].steps = steps
      try comparison.save()
    }
    note("\(comparison.variants[index].name): \(steps) steps")
    // A curve has at least five points, however short the budget is.
    let source = comparison.variants[index].recipe.setting(
      "training", "validate_every", atMost: max(1, steps / 5))
    try AtomicFile.write(file, bytes: source.utf8(.pretty))
    let begin = Budget.processorSeconds
    var failure: (any Error)?
    do {
      try runTraining(file, steps: steps, run: folder + "/run", output: folder + "/model")
    } catch {
      failure = error
    }
    comparison.variants[index].seconds +=
      (Budget.processorSeconds - begin) / Double(Runtime.threads)
    comparison.variants[index].isDone = failure == nil
    try comparison.save()
    if let failure { throw failure }
  }

  private func runTraining(_ recipe: String, steps: Int, run: String, output: String) throws {
    var words = [recipe, "--steps", "\(steps)", "--run", run, "--output", output]
    if !CheckpointFolder(run).steps.isEmpty { words.append("--resume") }
    if shared.json { words.append("--json") }
    let training = try Train.parse(words)
    try training.run()
  }

  /// The steps that `budget` is worth: from the difference between a short and a shorter training, in
  /// which reading data and writing the model cancel.
  private func steps(of recipe: String, _ budget: Budget, _ folder: String) throws -> Int {
    guard case .seconds(let seconds) = budget else {
      if case .steps(let count) = budget { return count }
      return 1
    }
    var source = try Recipe(file: recipe).source.object ?? JSONObject()
    var data = source["data"]?.object ?? JSONObject()
    data["test"] = nil
    source["data"] = .object(data)
    let probe = folder + "/probe"
    defer { removeFolder(probe) }
    func measured(_ steps: Int) throws -> Double {
      removeFolder(probe)
      try makeFolder(probe)
      try AtomicFile.write(
        probe + "/recipe.yaml", bytes: JSONValue.object(source).utf8(.pretty))
      let begin = Budget.processorSeconds
      try runTraining(
        probe + "/recipe.yaml", steps: steps, run: probe + "/run", output: probe + "/model")
      return (Budget.processorSeconds - begin) / Double(Runtime.threads)
    }
    let (few, more) = (4, 16)
    _ = try measured(1)
    let short = try measured(few)
    let long = try measured(few + more)
    let each = max((long - short) / Double(more), 1e-6)
    return max(1, Int(min(seconds / each, 1e9)))
  }

  private func note(_ text: String) { if !shared.json { Terminal.note(text) } }
}

extension JSONValue {
  /// The recipe with a number of a section that is `limit` at most.
  fileprivate func setting(_ section: String, _ key: String, atMost limit: Int) -> JSONValue {
    var source = object ?? JSONObject()
    var values = source[section]?.object ?? JSONObject()
    values[key] = .integer(Int64(min(values[key]?.int ?? limit, limit)))
    source[section] = .object(values)
    return .object(source)
  }
}
