import ArgumentParser
import ItoComponents
import ItoPipelines
import ItoTensors

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the parts of drawing with a model.",
    discussion: """
      Times loading, encoding a prompt, one evaluation of the denoiser and decoding, each apart: the best
      and the median of several rounds after one that is not counted, and the most memory the process held
      meanwhile. With --profile, one more evaluation lists where its time goes.

      Examples:
        ito bench Models/fashion-mnist --batch 64
        ito bench stable-diffusion-v1-5 --size 512x512 --precision float32 --threads 1
        ito bench stable-diffusion-v1-5 --profile --rounds 1
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

  func validate() throws {
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
    var generator: ImageGenerator?
    try report("load", interrupt) { generator = try loading.load(model) }
    guard let generator else { return }
    let wanted = try parsedSize()
    let prompt = generator.labels.first ?? "a photograph of an astronaut riding a horse"
    let request = GenerationRequest(
      prompts: [Prompt](repeating: Prompt(prompt), count: batch), height: wanted?.height,
      width: wanted?.width, batchSize: batch)
    let parts = try GenerationParts(generator, request)
    if generator.takesText { try report("text", interrupt) { try parts.encodePrompt() } }
    try report("denoiser", interrupt) { try parts.evaluate() }
    try report("decode", interrupt) { try parts.decode() }
    if profile { try list(parts) }
  }

  /// Times `body` and says so. Loading happens once: a second time finds the files in memory.
  private func report(_ part: String, _ interrupt: Interrupt, _ body: () throws -> Void) throws {
    let isLoading = part == "load"
    PeakMemory.reset()
    if !isLoading { try body() }
    var seconds: [Double] = []
    var bar = ProgressBar(part, unit: "round", total: rounds, isShown: !shared.json)
    defer { bar.clear() }
    while seconds.count < (isLoading ? 1 : rounds) {
      if interrupt.isRequested { throw CommandFailure("Stopped while timing \(part).") }
      let begin = now()
      try body()
      seconds.append(now() - begin)
      bar.update(seconds.count)
    }
    seconds.sort()
    let (best, median) = (seconds[0], seconds[seconds.count / 2])
    let type = loading.precision ?? "default"
    bar.clear()
    if shared.json {
      let line: JSONObject = [
        "part": .string(part), "precision": .string(type), "seconds_best": .double(best),
        "seconds_median": .double(median),
        "peak_rss_mb": PeakMemory.megabytes.map { JSONValue.double($0) } ?? JSONValue.null,
      ]
      Terminal.output(JSONValue.object(line).text())
    } else {
      let memory = PeakMemory.megabytes.map { "  peak \(fixed($0, 0)) MB" } ?? ""
      let times =
        isLoading ? milliseconds(best) : "\(milliseconds(best))  median \(milliseconds(median))"
      Terminal.output(aligned(part, 10) + times + memory)
    }
  }

  private func list(_ parts: GenerationParts) throws {
    let machine = MachinePeak.measure()
    let begin = now()
    let entries = try Profile.recording { try parts.evaluate() }.entries
    let total = now() - begin
    let table = ProfileTable(entries: entries, total: total, peak: machine)
    if shared.json {
      for line in table.json { Terminal.output(line.text()) }
    } else {
      Terminal.output(table.text)
    }
  }
}
