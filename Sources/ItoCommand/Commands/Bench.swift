import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoPipelines
import ItoTensors

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the parts of drawing with a model.",
    discussion: """
      Times loading, encoding a prompt, one evaluation of the denoiser and decoding, each apart: the best \
      and the median of several rounds after one that is not counted, and the most memory the process held \
      meanwhile. An evaluation is one of a run's steps after the first: what depends on the prompt or the noise \
      level alone was computed before. With --profile, as many evaluations follow, and the quickest lists \
      where its time went.

      --against times the same parts of the same files in other engines, torch (diffusers) and openvino, one \
      after the other in this run, and gives our time over theirs: below 1 is quicker here. They run in the \
      Python that ITO_PEERS_PYTHON names, or in the environment that Benchmarks/peers/setup.sh makes.

      Examples:
        ito bench Models/fashion-mnist --batch 64
        ito bench stable-diffusion-v1-5 --size 512x512 --precision float32 --threads 1
        ito bench stable-diffusion-v1-5 --profile --rounds 1 --roofline roofline.svg
        ito bench stable-diffusion-v1-5 --size 512x512 --against torch,openvino
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "A model folder, or the name of a model that comes with Itô.")
  var model = ModelLocator.defaultModel

  @OptionGroup var loading: LoadingFlags

  @Option(help: "Size in pixels, as WIDTHxHEIGHT (default: the model's own).")
  var size: String?

  @Option(help: "Pictures evaluated together.")
  var batch = 1

  @Option(help: "Rounds that are timed.")
  var rounds = 5

  @Flag(help: "List each kind of operation of one evaluation: time, rate, share of the peak.")
  var profile = false

  @Option(
    help: ArgumentHelp(
      "Draw each operation of one evaluation beside what the machine allows, as SVG.",
      valueName: "file"))
  var roofline: String?

  @Option(
    help: ArgumentHelp(
      "Time other engines too and print ratios: torch, openvino, or both with a comma.",
      valueName: "engines"))
  var against: String?

  private var engines: [String] { against?.split(separator: ",").map(String.init) ?? [] }

  func validate() throws {
    if let odd = engines.first(where: { !PeerEngines.known.contains($0) }) {
      throw ValidationError(
        "--against \(odd): choose from \(PeerEngines.known.joined(separator: ", ")).")
    }
    if !(1...4096).contains(batch) { throw ValidationError("--batch \(batch): give 1 to 4096.") }
    if !(1...1000).contains(rounds) { throw ValidationError("--rounds \(rounds): give 1 to 1000.") }
    _ = try parsedSize()
  }

  private func parsedSize() throws -> (width: Int, height: Int)? {
    guard let size else { return nil }
    let sides = size.lowercased().split(separator: "x", omittingEmptySubsequences: false).map {
      Int($0) ?? 0
    }
    guard sides.count == 2, sides.allSatisfy({ (1...16384).contains($0) }) else {
      throw ValidationError("--size \(size): give WIDTHxHEIGHT, such as 512x768.")
    }
    return (sides[0], sides[1])
  }

  func run() throws {
    shared.apply()
    let interrupt = Interrupt.watch()
    let peers = engines.isEmpty ? nil : try PeerEngines()
    var loading = loading
    // What models compute in unless told otherwise; other engines have other defaults, and results say which it was.
    if loading.precision == nil { loading.precision = "float32" }
    let wanted = try parsedSize()
    var timings: [PartTiming] = []
    try time(loading, size: wanted, interrupt, &timings)
    guard let peers else { return }
    let folder = try ModelLocator.folder(model)
    for engine in engines {
      try peers.time(
        engine, folder: folder, size: wanted, batch: batch, precision: name(of: loading.precision),
        threads: Runtime.threads, rounds: rounds
      ) { theirs in
        if interrupt.isRequested { throw CommandFailure("Stopped while timing \(engine).") }
        show(theirs, peer: engine)
        if let ours = timings.first(where: { $0.part == theirs.part }) {
          showRatio(ours, theirs, engine)
        }
      }
    }
  }

  /// Our own timings. The model is let go afterwards, so that other engines have the memory.
  private func time(
    _ loading: LoadingFlags, size: (width: Int, height: Int)?, _ interrupt: Interrupt,
    _ timings: inout [PartTiming]
  ) throws {
    var generator: ImageGenerator?
    let type = name(of: loading.precision)
    func report(_ part: String, _ body: () throws -> Void) throws {
      let timing = try measure(part, type, interrupt, body)
      show(timing, peer: nil)
      timings.append(timing)
    }
    try report("load") { generator = try loading.load(model) }
    guard let generator else { return }
    let prompt = generator.labels.first ?? "a photograph of an astronaut riding a horse"
    // Without guidance there is one text, as there is one evaluation.
    let request = GenerationRequest(
      prompts: [Prompt](repeating: Prompt(prompt), count: batch), height: size?.height,
      width: size?.width, guidance: ComponentChoice(NoGuidance.name), batchSize: batch)
    let parts = try GenerationParts(generator, request)
    if generator.takesText { try report("text") { try parts.encodePrompt() } }
    let context = parts.makeContext()
    try report("denoiser") { try parts.evaluate(in: context) }
    try report("decode") { try parts.decode() }
    if profile || roofline != nil {
      try list(parts, in: context, type == "bf16" ? .bfloat16 : .float32, interrupt)
    }
  }

  /// As results name element types.
  private func name(of precision: String?) -> String {
    let name = precision ?? "float32"
    return ["float32": "f32", "bfloat16": "bf16"][name] ?? name
  }

  /// Times `body`. Loading happens once: a second time finds the files in memory.
  private func measure(
    _ part: String, _ precision: String, _ interrupt: Interrupt, _ body: () throws -> Void
  ) throws -> PartTiming {
    let isLoading = part == "load"
    PeakMemory.reset()
    if !isLoading { try body() }
    var (seconds, processor): ([Double], [Double]) = ([], [])
    try each(isLoading ? 1 : rounds, of: part, interrupt) {
      let (begin, used) = (now(), processorSeconds())
      try body()
      seconds.append(now() - begin)
      processor.append(processorSeconds() - used)
    }
    return PartTiming(
      part: part, precision: precision, wall: seconds, processor: processor,
      peak: PeakMemory.megabytes)
  }

  /// Runs `round` for `count` rounds, shows how far it is, and stops between two when asked to.
  private func each(
    _ count: Int, of part: String, _ interrupt: Interrupt, _ round: () throws -> Void
  ) throws {
    var bar = ProgressBar(part, unit: "round", total: count, isShown: !shared.json)
    defer { bar.clear() }
    for done in 1...count {
      if interrupt.isRequested { throw CommandFailure("Stopped while timing \(part).") }
      try round()
      bar.update(done)
    }
  }

  private func show(_ timing: PartTiming, peer: String?) {
    if shared.json {
      Terminal.output(JSONValue.object(timing.json(peer: peer)).text())
      return
    }
    let memory = timing.peak.map { "  peak \(fixed($0, 0)) MB" } ?? ""
    let median = timing.part == "load" ? "" : "  median \(milliseconds(timing.median))"
    Terminal.output(
      aligned(peer.map { "\(timing.part), \($0)" } ?? timing.part, peer == nil ? 10 : 22)
        + milliseconds(timing.best) + median + memory)
  }

  private func showRatio(_ ours: PartTiming, _ theirs: PartTiming, _ engine: String) {
    if shared.json {
      Terminal.output(JSONValue.object(ours.ratio(to: theirs, peer: engine)).text())
      return
    }
    Terminal.output(
      aligned("", 22) + "ours over \(engine)'s: \(fixed(ours.best / theirs.best, 2)) of the time, "
        + "\(fixed(ours.processor / theirs.processor, 2)) of the processor time")
  }

  private func list(
    _ parts: GenerationParts, in context: EvaluationContext, _ type: DType, _ interrupt: Interrupt
  ) throws {
    let machine = MachinePeak.measure(in: type)
    // Decoding has taken the denoiser's place in the caches, and its memory: the first one counts for nothing.
    try parts.evaluate(in: context)
    var quickest: (entries: [Profile.Entry], total: Double)?
    try each(rounds, of: "profile", interrupt) {
      let begin = now()
      let entries = try Profile.recording { try parts.evaluate(in: context) }.entries
      let total = now() - begin
      if quickest.map({ total < $0.total }) ?? true { quickest = (entries, total) }
    }
    guard let (entries, total) = quickest else { return }
    if let roofline {
      let plot = RooflinePlot(entries: entries, peak: machine).svg(
        title: "\(model), one evaluation, \(Runtime.threads) threads")
      try AtomicFile.write(roofline, bytes: Array(plot.utf8))
    }
    guard profile else { return }
    let table = ProfileTable(entries: entries, total: total, peak: machine)
    if shared.json {
      for line in table.json { Terminal.output(line.text()) }
    } else {
      Terminal.output(table.text)
    }
  }
}
