import ItoComponents
import ItoDiffusion
import ItoImages
import ItoModels
import ItoPipelines
import ItoTensors
import ItoTraining

/// A training recipe: the YAML file that `ito train` reads.
struct Recipe {
  /// Where pictures come from and how they are prepared.
  struct Data {
    var training: ComponentChoice, test: ComponentChoice?
    var classes: [String]?
    var height: Int, width: Int, channels: Int
    var fit: ImagePreparation.Fit
    var augmentation: Augmentation
    var cache: String?
    /// Folder for latents that are encoded once instead of batch by batch.
    var latents: String?
    /// Whether transparency is kept, to be filled batch by batch.
    var keepsAlpha = false
    /// What shows through transparency, and beside pictures that do not fill the size.
    var background = PixelColor.white
  }
  /// How prompts become conditioning.
  struct Text {
    /// Folder of the text encoder.
    var encoder: String
    /// Folder for encoded captions.
    var cache: String
  }
  /// How a denoiser is trained.
  struct Diffusion {
    var schedule: ComponentChoice, parameterization: ComponentChoice, codec: ComponentChoice
    var times: ComponentChoice, weighting: ComponentChoice, noise: ComponentChoice
    var routing: ComponentChoice?, masking: ComponentChoice?
    var dropout: Double
    var isStratified: Bool
    /// Folder of the network that makes the finished model's small pictures large; nil: none.
    var enlarger: String?
  }
  /// How long and how fast.
  struct Training {
    var batch: Int, accumulate: Int, steps: Int, warmup: Int
    var optimizer: ComponentChoice, schedule: ComponentChoice
    var learningRate: Double, clip: Double?, averages: [ComponentChoice]
    var precision: DType
    var saveEvery: Int, keep: Int, logEvery: Int, validateEvery: Int, validationCount: Int
    var labelSmoothing: Double
    /// Steps between snapshots of averages; 0: none.
    var snapshots: Int
    /// The largest deviation of the noise that an enlarger is trained with.
    var noise: Double
    /// How much an autoencoder's latents are drawn towards unit normals.
    var kl: Double
    /// Checkpoint that the network starts from: a file, or a folder with one.
    var initial: String?
  }
  /// What the finished model samples with by default.
  struct Sampling {
    var solver: ComponentChoice, spacing: ComponentChoice, guidance: ComponentChoice
    var steps: Int
    /// What is drawn while it is trained, and every how many steps; 0: never.
    var prompts: [String], every: Int
  }

  let file: String
  let source: JSONValue
  let task: ModelManifest.Task
  let summary: String
  let seed: UInt64
  let data: Data
  /// Nil for data without captions.
  let text: Text?
  let network: JSONValue
  let diffusion: Diffusion
  let training: Training
  let sampling: Sampling
  /// Folder for checkpoints and the log, and folder for the finished model.
  let run: String, output: String

  init(file: String, limit: Int = 1 << 20) throws {
    let yaml = String(decoding: try readFile(file, limit: limit), as: UTF8.self)
    source = try parseYAML(yaml, file: file)
    self.file = file
    var root = try Section(source, file: file)
    task =
      ModelManifest.Task(
        rawValue: try root.choice(
          "task", of: ModelManifest.Task.allCases.map(\.rawValue), default: "generate"))
      ?? .generate
    summary = try root.string("summary", default: "")
    seed = UInt64(try root.int("seed", default: 0))
    data = try Self.data(try root.section("data"), file)
    text = try Self.text(try root.section("text"), fallback: data.cache)
    guard let network = root.raw("network"), network.object != nil else {
      throw CommandFailure("\(file): \"network\" is missing; give the network's configuration")
    }
    self.network = network
    diffusion = try Self.diffusion(try root.section("diffusion"))
    training = try Self.training(try root.section("training"))
    sampling = try Self.sampling(try root.section("sampling"))
    output = try root.string("output")
    run = try root.string(
      "run", default: "runs/" + (output.split(separator: "/").last.map(String.init) ?? "run"))
    try root.finish()
  }

  static func data(_ section: Section, _ file: String) throws -> Data {
    var s = section
    let training = try s.component("train", default: "")
    let test = try s.raw("test").map { value in
      var holder = try Section(.object(["test": value]), file: file, path: "data")
      return try holder.component("test", default: "")
    }
    let size = try s.int("size", default: 0, in: 0...4096)
    let result = Data(
      training: training, test: test, classes: try s.strings("classes"),
      height: try s.int("height", default: size, in: 1...4096),
      width: try s.int("width", default: size, in: 1...4096),
      channels: try s.int("channels", default: 3, in: 1...3),
      fit: ImagePreparation.Fit(
        rawValue: try s.choice(
          "fit", of: ImagePreparation.Fit.allCases.map(\.rawValue), default: "crop")) ?? .crop,
      augmentation: Augmentation(
        horizontalFlip: try s.bool("flip", default: false),
        maximumShift: try s.int("shift", default: 0, in: 0...64)),
      cache: try s.optionalString("cache"), latents: try s.optionalString("latents"),
      keepsAlpha: try s.bool("alpha", default: false),
      background: try s.color("background", default: .white))
    try s.finish()
    return result
  }

  private static func text(_ section: Section, fallback: String?) throws -> Text? {
    var s = section
    let encoder = try s.optionalString("encoder")
    let cache = try s.string("cache", default: fallback ?? "runs/captions")
    try s.finish()
    return encoder.map { Text(encoder: $0, cache: cache) }
  }

  private static func diffusion(_ section: Section) throws -> Diffusion {
    var s = section
    let result = Diffusion(
      schedule: try s.component("schedule", default: "rectified-flow"),
      parameterization: try s.component("parameterization", default: "flow"),
      codec: try s.component("codec", default: "pixels"),
      times: try s.component("times", default: "uniform"),
      weighting: try s.component("weighting", default: "none"),
      noise: try s.component("noise", default: "independent"),
      routing: try s.optionalComponent("routing"), masking: try s.optionalComponent("masking"),
      dropout: try s.double("dropout", default: 0.1, in: 0...1),
      isStratified: try s.bool("stratified", default: true),
      enlarger: try s.optionalString("enlarger"))
    try s.finish()
    return result
  }

  private static func training(_ section: Section) throws -> Training {
    var s = section
    let precision = try s.choice(
      "precision", of: ["float32", "bfloat16", "f32", "bf16"], default: "bfloat16")
    let clip = try s.double("clip", default: 1)
    let result = Training(
      batch: try s.int("batch", default: 128, in: 1...65536),
      accumulate: try s.int("accumulate", default: 1, in: 1...4096),
      steps: try s.int("steps", in: 1...1_000_000_000),
      warmup: try s.int("warmup", default: 0, in: 0...1_000_000_000),
      optimizer: try s.component("optimizer", default: "adamw"),
      schedule: try s.component("schedule", default: "cosine"),
      learningRate: try s.double("learning_rate", default: 1e-3, in: 0...100),
      clip: clip == 0 ? nil : clip, averages: try s.averages("ema"),
      precision: DType(name: precision) ?? .bfloat16,
      saveEvery: try s.int("save_every", default: 1000, in: 1...1_000_000_000),
      keep: try s.int("keep", default: 2, in: 1...1000),
      logEvery: try s.int("log_every", default: 50, in: 1...1_000_000),
      validateEvery: try s.int("validate_every", default: 1000, in: 1...1_000_000_000),
      validationCount: try s.int("validation_count", default: 1024, in: 1...1_000_000_000),
      labelSmoothing: try s.double("label_smoothing", default: 0, in: 0...1),
      snapshots: try s.int("snapshots", default: 0, in: 0...1_000_000_000),
      noise: try s.double("noise", default: 0.12, in: 0...2),
      kl: try s.double("kl", default: 1e-6, in: 0...1e3),
      initial: try s.optionalString("initial"))
    try s.finish()
    return result
  }

  private static func sampling(_ section: Section) throws -> Sampling {
    var s = section
    let result = Sampling(
      solver: try s.component("solver", default: "dpm++2m"),
      spacing: try s.component("spacing", default: "linspace"),
      guidance: try s.component("guidance", default: "none"),
      steps: try s.int("steps", default: 20, in: 1...10000),
      prompts: try s.strings("prompts") ?? [],
      every: try s.int("every", default: 0, in: 0...1_000_000_000))
    try s.finish()
    return result
  }
}
