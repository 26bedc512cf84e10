import ItoComponents
import ItoImages
import ItoPipelines

/// What a comparison has found so far: a table, loss curves and a sheet of pictures, in its folder.
struct ComparisonReport {
  let comparison: Comparison
  /// Measures of each variant's log, those that are done first by the figure.
  private let rows: [Row]

  struct Row {
    var index: Int
    var name: String
    /// Held-out measures by name, each as (step, value).
    var measures: [String: [(x: Double, y: Double)]] = [:]
    /// Training loss.
    var loss: [(x: Double, y: Double)] = []
    var samples = 0
  }

  /// The measure that variants are judged by: the error of the clean estimate, which means the same
  /// whatever is trained; the loss where that is no denoiser.
  let figure: String

  init(_ comparison: Comparison) {
    self.comparison = comparison
    var rows = comparison.variants.indices.map { index in
      Self.row(
        index, comparison.variants[index].name, comparison.folder(of: index) + "/run/log.jsonl")
    }
    let hasError = rows.contains { $0.measures["clean_error"] != nil }
    let figure = hasError ? "clean_error" : "loss"
    self.figure = figure
    func value(_ row: Row) -> Double {
      comparison.variants[row.index].isDone
        ? row.measures[figure]?.last?.y ?? .infinity : .infinity
    }
    rows.sort { (value($0), $0.index) < (value($1), $1.index) }
    self.rows = rows
  }

  private static func row(_ index: Int, _ name: String, _ log: String) -> Row {
    var row = Row(index: index, name: name)
    guard let bytes = try? readFile(log, limit: 1 << 30) else { return row }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let json = try? JSONValue.parse(Array(line)), let object = json.object,
        let step = json["step"]?.double
      else { continue }
      if let loss = json["loss"]?.double { row.loss.append((step + 1, loss)) }
      if let samples = json["samples"]?.int { row.samples = samples }
      for (key, value) in object where key.hasPrefix("validation_") {
        guard let number = value.double else { continue }
        row.measures[String(key.dropFirst("validation_".count)), default: []].append(
          (step + 1, number))
      }
    }
    return row
  }

  /// The table in Markdown, best variant first.
  var table: String {
    let names = Set(rows.flatMap { $0.measures.keys }).sorted {
      ($0 != figure ? 1 : 0, $0) < ($1 != figure ? 1 : 0, $1)
    }
    var lines = ["| variant | " + names.map { "held-out \($0)" }.joined(separator: " | ")]
    lines[0] += " | steps | samples | seconds |"
    lines.append("|---|" + String(repeating: "---|", count: names.count + 3))
    for row in rows {
      let variant = comparison.variants[row.index]
      let values = names.map { name in row.measures[name]?.last.map { brief($0.y) } ?? "" }
      let steps = variant.steps.map { "\($0)" } ?? ""
      let state = variant.isDone ? fixed(variant.seconds, 0) : "not done"
      lines.append(
        "| \(row.name) | \(values.joined(separator: " | ")) | \(steps) | \(row.samples) | \(state) |"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes `comparison.md`, `held-out.svg` and `loss.svg`.
  func write() throws {
    let folder = comparison.folder
    try AtomicFile.write(folder + "/comparison.md", bytes: Array(table.utf8))
    // In the order of the variants, so that each keeps its colour.
    let ordered = rows.sorted { $0.index < $1.index }
    let heldOut = Plot(
      title: "Held-out \(figure)", x: Plot.Axis("step"), y: Plot.Axis(figure, isLogarithmic: true),
      series: ordered.map {
        Plot.Series($0.name, points: $0.measures[figure] ?? [], hasMarks: true)
      })
    try AtomicFile.write(folder + "/held-out.svg", bytes: Array(heldOut.svg().utf8))
    let loss = Plot(
      title: "Training loss", x: Plot.Axis("step"), y: Plot.Axis("loss", isLogarithmic: true),
      series: ordered.map { Plot.Series($0.name, points: $0.loss) })
    try AtomicFile.write(folder + "/loss.svg", bytes: Array(loss.svg().utf8))
  }

  /// Writes `pictures.png`: a row for each variant that draws, the same seeds and classes, or prompts of the
  /// recipe's `sampling.prompts`, in each column.
  ///
  /// - Returns: the variants that cannot draw, each with the reason.
  func writePictures(columns: Int = 8, isCancelled: @escaping () -> Bool) throws -> [String] {
    var problems: [String] = []
    var images: [PixelImage] = []
    var sheet = ContactSheet(columns: columns)
    for index in comparison.variants.indices where comparison.variants[index].isDone {
      let folder = comparison.folder(of: index) + "/model"
      guard try ModelManifest(folder: folder).task == .generate else { return [] }
      let generator = try ImageGenerator(folder: folder)
      let texts =
        comparison.variants[index].recipe["sampling"]?["prompts"]?.array?
        .compactMap(\.string) ?? []
      let known = generator.takesText ? texts : generator.labels
      let wanted = (0..<columns).map { known.isEmpty ? "" : known[$0 % known.count] }
      do {
        images += try generator.generate(
          GenerationRequest(prompts: wanted.map { Prompt($0) }), isCancelled: isCancelled
        ) { _ in }
      } catch {
        // What one variant cannot do is no reason to lose the others' pictures.
        if isCancelled() { throw error }
        problems.append("\(comparison.variants[index].name): no pictures. \(error)")
        continue
      }
      sheet.rowLabels.append(comparison.variants[index].name)
      if !known.isEmpty { sheet.columnLabels = wanted }
    }
    if !images.isEmpty { try sheet.draw(images).write(comparison.folder + "/pictures.png") }
    return problems
  }
}
