import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoImages
import ItoPipelines
import ItoTensors

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw pictures.",
    discussion: """
      Names what to draw by class names or numbers; without any, one of each class. Steps, solver and
      guidance default to what the model's folder says.

      Examples:
        ito generate sneaker --seed 7
        ito generate --count 8 --sheet sheet.png
        ito generate bag dress --steps 12 --solver heun --guidance cfg:scale=3 --output pictures
        ito generate "Ankle boot" --model runs/my-model --output boot.png
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "What to draw: class names or numbers.")
  var prompts: [String] = []

  @Option(
    name: [.short, .long], help: "A model folder, or the name of a model that comes with Itô.")
  var model = ModelLocator.defaultModel

  @Option(name: [.customShort("n"), .long], help: "Pictures of each.")
  var count = 1

  @Option(name: [.short, .long], help: "Seed of the first picture; picture k has seed + k.")
  var seed: UInt64 = 0

  @Option(help: "Steps.")
  var steps: Int?

  @Option(
    name: [.long, .customLong("sampler")],
    help: "Solver, such as euler, heun, ddim:eta=0.5, dpm++2m.")
  var solver: String?

  @Option(name: [.long, .customLong("schedule")], help: "Spacing of the steps, such as karras.")
  var spacing: String?

  @Option(help: "Guidance: none, cfg:scale=2, interval:scale=3.")
  var guidance: String?

  @Option(
    name: [.customLong("cfg-scale"), .customLong("guidance-scale")],
    help: "Scale of classifier-free guidance; short for --guidance cfg:scale=…")
  var scale: Double?

  @Option(help: "Size, as WIDTHxHEIGHT.")
  var size: String?

  @Option(help: "Where random numbers come from: torch, torch-scalar, philox, cuda.")
  var noise = "torch"

  @Option(help: "Element type to compute in: float32 or bfloat16.")
  var precision: String?

  @Option(help: "Pictures computed together.")
  var batch = 64

  @Option(
    name: [.short, .long],
    help: "A picture file (one picture), or a folder for numbered pictures.")
  var output: String?

  @Option(help: "A picture file for all of them on one labelled sheet.")
  var sheet: String?

  func validate() throws {
    if count < 1 || count > 100_000 {
      throw ValidationError("--count \(count): ask for 1 to 100000 pictures of each.")
    }
    if batch < 1 { throw ValidationError("--batch \(batch): at least 1 is needed.") }
  }

  func run() throws {
    shared.apply()
    let begin = now()
    let folder = try ModelLocator.folder(model)
    let generator = try ImageGenerator(folder: folder, precision: try parsedPrecision())
    let loaded = now()
    let (request, names) = try makeRequest(generator.manifest)
    let interrupt = Interrupt.watch()
    var bar = ProgressBar("drawing", unit: "step", total: 1, isShown: !shared.json)
    let images = try generator.generate(request, isCancelled: { interrupt.isRequested }) {
      bar.update($0.done, of: $0.total)
    }
    bar.clear()
    let drawn = now()
    let files = try write(images, names, request, generator)
    report(
      images.count, files, load: loaded - begin, draw: drawn - loaded, total: now() - begin,
      request,
      generator)
  }

  private func parsedPrecision() throws -> DType? {
    guard let precision else { return nil }
    guard let type = DType(name: precision), type == .float32 || type == .bfloat16 else {
      throw CommandFailure("--precision \(precision): choose float32 or bfloat16.")
    }
    return type
  }

  private func makeRequest(
    _ manifest: ModelManifest
  ) throws -> (GenerationRequest, names: [String]) {
    var labels: [Int] = []
    let wanted = prompts.isEmpty ? manifest.labels : prompts
    if wanted.isEmpty { labels = [Int](repeating: 0, count: count) }
    for prompt in wanted {
      labels += [Int](repeating: try label(prompt, manifest.labels), count: count)
    }
    let (width, height) = try parsedSize()
    guard let engine = NoiseSource.Engine(rawValue: noise) else {
      let known = NoiseSource.Engine.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure("--noise \(noise): choose one of \(known).")
    }
    if guidance != nil && scale != nil {
      throw CommandFailure("--guidance and --cfg-scale say the same thing; give one of them.")
    }
    let guided = scale.map { ComponentChoice("cfg", options: ["scale": .double($0)]) }
    let request = GenerationRequest(
      labels: labels, seed: seed, height: height, width: width, steps: steps,
      solver: try solver.map { try ComponentChoice(parsing: $0) },
      spacing: try spacing.map { try ComponentChoice(parsing: $0) },
      guidance: try guidance.map { try ComponentChoice(parsing: $0) } ?? guided, engine: engine,
      batchSize: batch)
    return (request, labels.map { manifest.labels.isEmpty ? "" : manifest.labels[$0] })
  }

  private func label(_ prompt: String, _ labels: [String]) throws -> Int {
    if let number = Int(prompt), labels.indices.contains(number) { return number }
    func plain(_ text: String) -> String {
      text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
    let matches = labels.indices.filter { plain(labels[$0]) == plain(prompt) }
    if let match = matches.first { return match }
    let parts = labels.indices.filter { plain(labels[$0]).contains(plain(prompt)) }
    if parts.count == 1, !plain(prompt).isEmpty { return parts[0] }
    let hint = nearest(to: prompt.lowercased(), in: labels.map { $0.lowercased() })
    throw CommandFailure(
      "This model does not know \"\(prompt)\"" + (hint.map { "; did you mean \"\($0)\"?" } ?? ".")
        + " It draws: " + labels.joined(separator: ", ") + ".")
  }

  private func parsedSize() throws -> (Int?, Int?) {
    guard let size else { return (nil, nil) }
    let parts = size.lowercased().split(separator: "x")
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]), width > 0,
      height > 0
    else { throw CommandFailure("--size \(size): write it as WIDTHxHEIGHT, such as 28x28.") }
    return (width, height)
  }

  private func write(
    _ images: [PixelImage], _ names: [String], _ request: GenerationRequest,
    _ generator: ImageGenerator
  ) throws -> [String] {
    var files: [String] = []
    func metadata(_ k: Int) -> ImageMetadata {
      ["parameters": parameters(names[k], request.seed &+ UInt64(k), images[k], request, generator)]
    }
    if let sheet {
      var page = ContactSheet(columns: count > 1 ? count : min(images.count, 10))
      if count > 1 {
        page.rowLabels = stride(from: 0, to: names.count, by: count).map { names[$0] }
      } else {
        page.captions = names
      }
      try page.draw(images).write(sheet, metadata: metadata(0))
      files.append(sheet)
    }
    if let output, ImageFormat(pathExtension: output) != nil {
      guard images.count == 1 else {
        throw CommandFailure(
          "--output \(output) is one file for \(images.count) pictures; give a folder, or --sheet.")
      }
      try images[0].write(output, metadata: metadata(0))
      files.append(output)
    } else if output != nil || sheet == nil {
      let folder = output ?? "out"
      try makeFolder(folder)
      for (k, image) in images.enumerated() {
        let stem = names[k].isEmpty ? "picture" : slug(names[k])
        let file = "\(folder)/\(stem)-\(request.seed &+ UInt64(k)).png"
        try image.write(file, metadata: metadata(k))
        files.append(file)
      }
    }
    return files
  }

  private func slug(_ name: String) -> String {
    String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
  }

  /// What A1111's interface writes and other tools read.
  private func parameters(
    _ name: String, _ seed: UInt64, _ image: PixelImage, _ request: GenerationRequest,
    _ generator: ImageGenerator
  ) -> String {
    let manifest = generator.manifest
    return "\(name)\nSteps: \(request.steps ?? manifest.steps), "
      + "Sampler: \(request.solver ?? manifest.solver), "
      + "Schedule type: \(request.spacing ?? manifest.spacing), "
      + "Guidance: \(request.guidance ?? manifest.guidance), Seed: \(seed), "
      + "Size: \(image.width)x\(image.height), Model: \(model), RNG: \(request.engine.rawValue), "
      + "Version: ito \(itoVersion)"
  }

  private func report(
    _ count: Int, _ files: [String], load: Double, draw: Double, total: Double,
    _ request: GenerationRequest, _ generator: ImageGenerator
  ) {
    if shared.json {
      let object: JSONObject = [
        "pictures": .integer(Int64(count)), "files": .array(files.map { .string($0) }),
        "load_seconds": .double(load), "draw_seconds": .double(draw),
        "total_seconds": .double(total), "peak_bytes": .integer(Int64(Runtime.memory.peak)),
      ]
      Terminal.output(JSONValue.object(object).text())
      return
    }
    let what = count == 1 ? "1 picture" : "\(count) pictures"
    let steps = request.steps ?? generator.manifest.steps
    Terminal.output(
      "\(what) in \(formatted(seconds: draw)), \(brief(Double(count) / draw)) a second "
        + "(\(steps) steps of \(request.solver ?? generator.manifest.solver), "
        + "loading \(formatted(seconds: load)))")
    if files.count <= 4 {
      for file in files { Terminal.output(file) }
    } else {
      Terminal.output("\(files[0]) … \(files[files.count - 1])")
    }
  }
}
