import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoImages
import ItoPipelines
import ItoTensors
import ItoTraining

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Judge a model's pictures against real ones.",
    discussion: """
      Draws pictures of every class, or takes those in a folder, and lets a classifier judge: how many \
      are the class asked for, and how far they are from real pictures in its features (Fréchet and \
      kernel distance), beside the distance that real test pictures have from the training set.

      With --pictures and --reference it compares any two folders of pictures instead. Pictures of the same \
      name, or of a caption that the reference has, are pairs: they get PSNR, SSIM and a perceptual distance \
      (what does a cheaper method change?), and the share whose nearest reference picture is their own. A \
      JSONL file that lists pictures with texts and concepts may stand for its folder. With --reference and a \
      model, pictures are drawn from the first caption of each picture in --asked. Intervals are 95 %, by \
      bootstrap.

      Examples:
        ito eval
        ito eval Models/fashion-mnist --count 2000 --steps 10 --solver heun
        ito eval my-pictures --json
        ito eval --pictures cached --reference full --metrics psnr,ssim,perceptual
        ito eval emoji --reference data/all.jsonl --asked data/heldout.jsonl --encoder emoji-matcher
        ito eval --pictures drawn --reference data/all.jsonl --extractor fashion-mnist-classifier
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A model folder or the name of a model, or a folder of pictures.")
  var target = "fashion-mnist"

  @Option(
    help: "Pictures to judge against --reference: a folder or a JSONL file beside its pictures.")
  var pictures: String?

  @Option(help: "What --pictures are compared with: a folder or a JSONL file beside its pictures.")
  var reference: String?

  @Option(
    help: "Pictures whose captions are drawn: a folder or a JSONL file (default: --reference).")
  var asked: String?

  @Option(
    help: "A classifier whose features are compared, for Fréchet, kernel and perceptual distance.")
  var extractor: String?

  @Option(help: "A network that matches pictures and captions, for retrieval and caption score.")
  var encoder: String?

  @Option(
    help: "The text encoder that --encoder was trained on (default: that of the model emoji).")
  var textEncoder: String?

  @Option(help: "What to measure, with commas (default: all that can be).")
  var metrics: String?

  @Option(help: "Resamples for the intervals; 0: no intervals.")
  var resamples = 1000

  @Option(help: "The judge: a classifier's folder, or the name of one that comes with Itô.")
  var classifier = "fashion-mnist-classifier"

  @Option(
    name: [.customShort("n"), .long], help: "Pictures to draw, spread evenly over the classes.")
  var count = 2000

  @Option(name: [.short, .long], help: "Seed of the first picture.")
  var seed: UInt64 = 0

  @Option(help: "Steps.")
  var steps: Int?

  @Option(name: [.long, .customLong("sampler")], help: "Solver, such as euler or dpm++2m.")
  var solver: String?

  @Option(help: "Spacing of the steps.")
  var spacing: String?

  @Option(help: "Guidance, such as none or cfg:scale=2.")
  var guidance: String?

  @Option(help: "Element type to compute in: float32 or bfloat16.")
  var precision: String?

  @Option(help: "Recipe that names the real pictures, instead of the judge's own.")
  var data: String?

  func validate() throws {
    if !(2...1_000_000).contains(count) {
      throw ValidationError("--count \(count): ask for 2 to 1000000 pictures.")
    }
    if !(0...1_000_000).contains(resamples) {
      throw ValidationError("--resamples \(resamples): give a number from 0 to 1000000.")
    }
    if pictures != nil && reference == nil {
      throw ValidationError("--pictures needs --reference: what they are compared with.")
    }
    if asked != nil && (reference == nil || pictures != nil) {
      throw ValidationError("--asked needs --reference, and a model instead of --pictures.")
    }
  }

  func run() throws {
    shared.apply()
    if let reference { return try compare(with: reference) }
    let judge = try PictureClassifier(folder: try ModelLocator.folder(classifier))
    let real = try realPictures(judge)
    let pictures = try picturesToJudge(judge)
    let generated = try features(of: pictures.tensor, judge, "judging")
    let judgement = Judgement(
      features: generated.features, classes: generated.classes, wanted: pictures.wanted,
      training: try features(of: real.training, judge, "reading training pictures").features,
      test: try features(of: real.test, judge, "reading test pictures").features)
    report(judgement, judge)
  }

  func request(_ prompts: [Prompt]) throws -> GenerationRequest {
    let sampler = try solver.map { try SamplerName(parsing: $0) }
    return GenerationRequest(
      prompts: prompts, seed: seed, steps: steps, solver: sampler?.solver,
      spacing: try spacing.map { try ComponentChoice(parsing: $0) } ?? sampler?.spacing,
      guidance: try guidance.map { try ComponentChoice(parsing: $0) })
  }

  func parsedPrecision() throws -> DType? {
    try precision.map { text in
      guard let type = DType(name: text), type == .float32 || type == .bfloat16 else {
        throw CommandFailure("--precision \(text): choose float32 or bfloat16.")
      }
      return type
    }
  }

  func draw(_ request: GenerationRequest, _ generator: ImageGenerator) throws -> Tensor {
    let interrupt = Interrupt.watch()
    var bar = ProgressBar("drawing", unit: "step", total: 1, isShown: !shared.json)
    defer { bar.clear() }
    return try generator.generateTensor(request, isCancelled: { interrupt.isRequested }) {
      bar.update($0.done, of: $0.total)
    }
  }

  private func realPictures(
    _ judge: PictureClassifier
  ) throws -> (training: Tensor, test: Tensor) {
    let source: JSONValue, file: String
    if let data {
      file = data
      source = try parseYAML(
        String(decoding: try readFile(data, limit: 1 << 20), as: UTF8.self), file: data)
    } else {
      file = "the judge's recipe"
      source = judge.manifest.provenance["recipe"] ?? .null
    }
    let settings = try Recipe.data(try Section(source["data"], file: file, path: "data"), file)
    guard let test = settings.test else {
      throw CommandFailure("\(file): \"data.test\" is missing; the floor needs held-out pictures")
    }
    let loader = PictureLoader(data: settings, isQuiet: shared.json)
    func tensor(_ choice: ComponentChoice) throws -> Tensor {
      let images = try loader.load(choice)
      return try ImageBatches(images, seed: 0, isShuffled: false).batch(at: 0, count: images.count)
        .images
    }
    return (try tensor(settings.training), try tensor(test))
  }

  private func picturesToJudge(
    _ judge: PictureClassifier
  ) throws -> (tensor: Tensor, wanted: [Int]) {
    let isModel = ModelLocator.isFile(target + "/model.json") || !target.contains("/")
    guard isModel else { return (try picturesInFolder(judge), []) }
    let folder: String
    do {
      folder = try ModelLocator.folder(target)
    } catch {
      return (try picturesInFolder(judge), [])
    }
    let generator = try ImageGenerator(folder: folder, precision: try parsedPrecision())
    guard generator.labels == judge.manifest.labels else {
      throw CommandFailure(
        "\(target) and the judge \(classifier) do not know the same classes; give another --classifier"
      )
    }
    let classes = generator.labels.count
    let wanted = (0..<count).map { $0 % max(1, classes) }
    let tensor = try draw(try request(wanted.map { Prompt("\($0)") }), generator)
    return (tensor, classes > 0 ? wanted : [])
  }

  private func picturesInFolder(_ judge: PictureClassifier) throws -> Tensor {
    let m = judge.manifest
    let settings = Recipe.Data(
      training: ComponentChoice("folder", options: ["path": .string(target)]), test: nil,
      classes: nil, height: m.height, width: m.width, channels: m.channels, fit: .crop,
      augmentation: Augmentation(), cache: nil)
    let images = try PictureLoader(data: settings, isQuiet: shared.json).load(settings.training)
    return try ImageBatches(images, seed: 0, isShuffled: false).batch(at: 0, count: images.count)
      .images
  }

  private func features(
    of pictures: Tensor, _ judge: PictureClassifier, _ title: String
  ) throws -> (features: Tensor, classes: [Int]) {
    var bar = ProgressBar(
      title, unit: "picture", total: pictures.shape[0], isShown: !shared.json)
    defer { bar.clear() }
    return try judge.judge(pictures) { bar.update($0) }
  }

  private func report(_ j: Judgement, _ judge: PictureClassifier) {
    if shared.json {
      var object: JSONObject = [
        "pictures": .integer(Int64(j.count)), "frechet": .double(j.frechet),
        "frechet_floor": .double(j.frechetFloor),
        "frechet_floor_at_count": .double(j.frechetFloorAtCount),
        "frechet_limit": .double(j.frechetLimit), "kernel": .double(j.kernel.mean),
        "kernel_deviation": .double(j.kernel.deviation),
        "kernel_floor": .double(j.kernelFloor.mean),
      ]
      if let accuracy = j.accuracy {
        object["accuracy"] = .double(accuracy.share)
        object["accuracy_margin"] = .double(accuracy.margin)
      }
      Terminal.output(JSONValue.object(object).text())
      return
    }
    Terminal.output("\(j.count) pictures judged by \(classifier)")
    if let accuracy = j.accuracy {
      Terminal.output(
        "  are the class asked for    \(fixed(100 * accuracy.share, 1)) % "
          + "± \(fixed(100 * accuracy.margin, 1))")
    }
    Terminal.output("  Fréchet distance           \(brief(j.frechet))")
    Terminal.output("    real test pictures       \(brief(j.frechetFloor))")
    Terminal.output("    \(j.count) of them            \(brief(j.frechetFloorAtCount))")
    Terminal.output("    3 floors + few samples   \(brief(j.frechetLimit))")
    Terminal.output(
      "  kernel distance            \(brief(j.kernel.mean)) ± \(brief(j.kernel.deviation))")
    Terminal.output("    real test pictures       \(brief(j.kernelFloor.mean))")
  }
}
