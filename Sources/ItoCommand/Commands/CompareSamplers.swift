import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoImages
import ItoPipelines
import ItoTensors

struct CompareSamplers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare-samplers",
    abstract:
      "Compare samplers on a model: error over evaluations, as a table, a chart and pictures.",
    discussion: """
      Every sampler draws the same pictures from the same noise, with as many steps as fit a number of \
      evaluations. The error is the root mean square difference, in −1…1, from a run of many steps; \
      samplers with noise of their own have no such reference. With --classifier the Fréchet distance \
      of the pictures from its training pictures is given too, with --real and --extractor that from \
      any pictures. What --json wrote can be made a table and a chart of \
      again, with --results.

      Examples:
        ito compare-samplers
        ito compare-samplers my-model --solvers "euler,dpm++2m,unipc" --evaluations 5,10,20 --plot out/samplers.svg
        ito compare-samplers --solvers "DPM++ 2M Karras,DPM++ 2M" --count 4 --sheet out/samplers.png
        ito compare-samplers --from-file prompts.txt --count 100 --real Data/emoji/all.jsonl
        ito compare-samplers --results Docs/samplers/error.jsonl --plot out/samplers.svg
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A model folder or the name of a model that comes with Itô.")
  var model = ModelLocator.defaultModel

  @Option(help: "Samplers, separated by commas; a spacing may follow a solver's name.")
  var solvers = "euler,heun,dpm++2m,unipc,dpm2,lms"

  @Option(
    help: "Spacings to try every sampler with, separated by commas (default: the model's own).")
  var spacings: String?

  @Option(help: "Numbers of evaluations, separated by commas.")
  var evaluations = "4,6,8,10,15,20,30,50"

  @OptionGroup var prompts: SamplePrompts

  @Option(name: [.customShort("n"), .long], help: "Pictures, spread over the prompts or classes.")
  var count = 10

  @Option(name: [.short, .long], help: "Seed of the first picture.")
  var seed: UInt64 = 0

  @Option(help: "Guidance, such as none or cfg:scale=2 (default: the model's own).")
  var guidance: String?

  @Option(help: "The sampler of the reference.")
  var reference = "dpm++2m"

  @Option(help: "Steps of the reference.")
  var referenceSteps = 1000

  @Option(help: "Pictures that the error is of, from the first (default: all).")
  var referenceCount: Int?

  @Option(help: "A classifier: gives the Fréchet distance from its training pictures too.")
  var classifier: String?

  @Option(
    help: "Real pictures, a folder or a JSONL file: gives the Fréchet distance from them too.")
  var real: String?

  @Option(help: "A classifier in whose features --real is compared.")
  var extractor = "emoji-extractor"

  @Option(help: "An SVG file for the chart.")
  var plot: String?

  @Option(help: "What the chart shows: error, or frechet (default: frechet where there is one).")
  var measure: Measure?

  @Option(help: "Rows that --json wrote, to show instead of drawing anything.")
  var results: String?

  @Option(help: "A picture file for the first picture of every run.")
  var sheet: String?

  @Option(help: "Pictures evaluated together (default: the model's own choice).")
  var batch: Int?

  func validate() throws {
    if !(1...100_000).contains(count) {
      throw ValidationError("--count \(count): ask for 1 to 100000 pictures.")
    }
    if !(1...10_000).contains(referenceSteps) {
      throw ValidationError("--reference-steps \(referenceSteps): ask for 1 to 10000.")
    }
    if classifier != nil && real != nil {
      throw ValidationError("--classifier and --real both say what is real; give one.")
    }
    if let batch, batch < 1 { throw ValidationError("--batch \(batch): at least 1 is needed.") }
  }

  /// What a chart can show.
  enum Measure: String, ExpressibleByArgument, CaseIterable {
    case error, frechet
  }

  func run() throws {
    if let results { return try report(try Self.rows(in: results)) }
    shared.apply()
    let generator = try ImageGenerator(folder: try ModelLocator.folder(model))
    let budgets = try wholeNumbers(evaluations, option: "--evaluations", in: 1...10_000)
    let contestants = try parsedContestants()
    let judge =
      try classifier.map { try FrechetJudge($0, isQuiet: shared.json) }
      ?? real.map { try FrechetJudge(extractor, real: $0, isQuiet: shared.json) }
    let interrupt = Interrupt.watch()
    let comparison = SamplerComparison(generator, try request(generator, count))
    let standard = try SamplerName(parsing: reference)
    var bar = ProgressBar("reference", unit: "step", total: 1, isShown: !shared.json)
    let first = SamplerComparison(generator, try request(generator, referenceCount ?? count))
    let truth = try first.draw(
      .init(solver: standard.solver, spacing: standard.spacing), steps: referenceSteps,
      isCancelled: { interrupt.isRequested }
    ) { bar.update($0.done, of: $0.total) }
    bar.clear()

    var rows: [Row] = []
    var pictures: [PixelImage] = []
    for contestant in contestants {
      for budget in budgets {
        var bar = ProgressBar(contestant.name, unit: "step", total: 1, isShown: !shared.json)
        let outcome = try comparison.run(
          contestant, evaluations: budget, isCancelled: { interrupt.isRequested }
        ) { bar.update($0.done, of: $0.total) }
        bar.clear()
        guard let outcome else {
          pictures.append(PixelImage(width: 1, height: 1, color: PixelColor(grey: 252)))
          continue
        }
        let row = Row(
          name: contestant.name, budget: budget, steps: outcome.steps,
          evaluations: outcome.evaluations,
          error: SamplerComparison.error(of: outcome.pictures, from: truth),
          frechet: try judge?.distance(of: outcome.pictures))
        if shared.json { Terminal.output(JSONValue.object(row.json).text()) }
        rows.append(row)
        if sheet != nil {
          pictures += try PixelImage.images(
            from: outcome.pictures.slice(axis: 0, from: 0, to: 1), range: .signed)
        }
      }
    }
    try report(rows)
    if let sheet { try write(pictures, contestants, budgets, to: sheet) }
  }

  /// One run's result.
  private struct Row {
    let name: String, budget: Int, steps: Int, evaluations: Int, error: Double, frechet: Double?

    var json: JSONObject {
      var object: JSONObject = [
        "sampler": .string(name), "budget": .integer(Int64(budget)),
        "steps": .integer(Int64(steps)), "evaluations": .integer(Int64(evaluations)),
        "error": .double(error),
      ]
      if let frechet { object["frechet"] = .double(frechet) }
      return object
    }
  }

  private func parsedContestants() throws -> [SamplerComparison.Contestant] {
    let levels = try spacings.map { try choices($0).map { try ComponentChoice(parsing: $0) } }
    var result: [SamplerComparison.Contestant] = []
    for text in choices(solvers) {
      let name = try SamplerName(parsing: text)
      _ = try Registry<any Solver>.builtin.make(name.solver)
      for spacing in levels ?? [] {
        _ = try Registry<any StepSpacing>.builtin.make(spacing)
        result.append(.init(solver: name.solver, spacing: spacing))
      }
      if levels == nil { result.append(.init(solver: name.solver, spacing: name.spacing)) }
    }
    guard !result.isEmpty else { throw CommandFailure("--solvers names no sampler.") }
    return result
  }

  /// Parts of a list; a comma that an option follows belongs to the part before it.
  private func choices(_ text: String) -> [String] {
    var parts: [String] = []
    for piece in text.split(separator: ",").map(String.init) {
      if piece.contains("="), !piece.contains(":"), let last = parts.popLast() {
        parts.append(last + "," + piece)
      } else {
        parts.append(piece)
      }
    }
    return parts
  }

  private func request(_ generator: ImageGenerator, _ count: Int) throws -> GenerationRequest {
    GenerationRequest(
      prompts: try prompts.taken(count, for: generator), seed: seed,
      guidance: try guidance.map { try ComponentChoice(parsing: $0) }, batchSize: batch)
  }
}

// What the comparison is written as.
extension CompareSamplers {
  private func table(_ rows: [Row]) -> String {
    let hasDistance = rows.contains { $0.frechet != nil }
    var table = TextTable(
      ["sampler", "evaluations", "steps", "error"] + (hasDistance ? ["Fréchet"] : []))
    for row in rows {
      table.add(
        [row.name, "\(row.evaluations)", "\(row.steps)", brief(row.error)]
          + (row.frechet.map { [brief($0)] } ?? []))
    }
    return table.text
  }

  private func report(_ rows: [Row]) throws {
    if !shared.json { Terminal.output(table(rows)) }
    guard let plot else { return }
    let shown = measure ?? (rows.contains { $0.frechet != nil } ? .frechet : .error)
    var chart = Plot(
      title: shown == .frechet ? "Fréchet distance from real pictures" : "Error of samplers",
      x: Plot.Axis("evaluations", isLogarithmic: true),
      y: Plot.Axis(
        shown == .frechet ? "Fréchet distance" : "root mean square error", isLogarithmic: true))
    var names: [String] = []
    for row in rows where !names.contains(row.name) { names.append(row.name) }
    chart.series = names.map { name in
      let points = rows.filter { $0.name == name }.compactMap { row in
        (shown == .frechet ? row.frechet : row.error).map { (x: Double(row.evaluations), y: $0) }
      }
      return Plot.Series(name, points: points, hasMarks: true)
    }
    try AtomicFile.write(plot, bytes: Array(chart.svg().utf8))
    if !shared.json { Terminal.output(plot) }
  }

  /// The rows of a file that `--json` wrote.
  private static func rows(in file: String) throws -> [Row] {
    let bytes = try readFile(file, limit: 1 << 26)
    return try bytes.split(separator: UInt8(ascii: "\n")).enumerated().map { index, line in
      let json = try JSONValue.parse(Array(line))
      guard let name = json["sampler"]?.string, let budget = json["budget"]?.int,
        let steps = json["steps"]?.int, let evaluations = json["evaluations"]?.int,
        let error = json["error"]?.double
      else {
        throw CommandFailure(
          "\(file), line \(index + 1): not a row of compare-samplers --json, which has sampler, budget, "
            + "steps, evaluations and error.")
      }
      return Row(
        name: name, budget: budget, steps: steps, evaluations: evaluations, error: error,
        frechet: json["frechet"]?.double)
    }
  }

  private func write(
    _ pictures: [PixelImage], _ contestants: [SamplerComparison.Contestant], _ budgets: [Int],
    to file: String
  ) throws {
    var page = ContactSheet(columns: budgets.count)
    page.rowLabels = contestants.map(\.name)
    page.columnLabels = budgets.map { "\($0)" }
    page.title = "seed \(seed), evaluations"
    try page.draw(pictures).write(file)
    if !shared.json { Terminal.output(file) }
  }
}
