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
      Says what to draw in words, or by class names or numbers for a model that knows classes. When \
      nothing is asked for, a model draws one of each class, or the examples in its folder. Steps, solver \
      and guidance default to what the folder says.

      Examples:
        ito generate "a red heart on a blue background"
        ito generate "a green car" "a slice of pizza" --count 4 --sheet sheet.png
        ito generate sneaker --model fashion-mnist --seed 7
        ito generate bag dress --model fashion-mnist --steps 12 --solver heun --guidance cfg:scale=3
        ito generate "Ankle boot" --model runs/my-model --output boot.png
        ito generate "a red apple" --model models/sd15 --steps 20 --cfg-scale 7 --seed 1
        ito generate "a green apple" --model models/sd15 --init apple.png --mask fruit.png
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var model: ModelOptions
  @OptionGroup var prompt: PromptOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var sizes: SizeOptions
  @OptionGroup var start: StartOptions
  @OptionGroup var refinement: RefinerOptions
  @OptionGroup var output: PictureOutput
  @OptionGroup var watching: PreviewOptions

  func run() throws {
    shared.apply()
    let begin = now()
    let start = try start.read()
    let generator = try watching.prepare(try model.load())
    let refiner = try refinement.load(model.loading)
    let loaded = now()
    var request = GenerationRequest(prompts: try prompt.prompts(for: generator), start: start)
    try sampling.apply(to: &request, for: generator)
    try sizes.apply(to: &request, for: generator)
    try output.check(count: request.prompts.count)
    let interrupt = Interrupt.watch()
    var bar = ProgressBar("drawing", unit: "step", total: 1, isShown: !shared.json)
    var previewFailure: (any Error)?
    var effort = Effort()
    let images: [PixelImage]
    do {
      images = try refinement.draw(
        request, generator, refiner,
        isCancelled: { interrupt.isRequested || previewFailure != nil },
        onStep: {
          bar.update($0.done, of: $0.total)
          do { try watching.show($0, generator) } catch { previewFailure = error }
        },
        onResult: {
          effort.evaluations += $0.evaluations
          effort.saved += $0.savedEvaluations
          effort.rounds += $0.rounds
        })
    } catch {
      throw previewFailure ?? error
    }
    bar.clear()
    let drawn = now()
    let files = try output.write(
      images, names: request.prompts.map { generator.title(of: $0) }, seed: request.seed,
      perPrompt: prompt.count
    ) { k in
      let recipe = generator.recipe(of: request, picture: k, tool: "ito \(itoVersion)")
      return ["parameters": recipe.parameterText]
    }
    report(
      images.count, files, load: loaded - begin, draw: drawn - loaded, total: now() - begin,
      request, generator, effort)
  }

  private func report(
    _ count: Int, _ files: [String], load: Double, draw: Double, total: Double,
    _ request: GenerationRequest, _ generator: ImageGenerator, _ effort: Effort
  ) {
    if shared.json {
      let object: JSONObject = [
        "pictures": .integer(Int64(count)), "files": .array(files.map { .string($0) }),
        "load_seconds": .double(load), "draw_seconds": .double(draw),
        "total_seconds": .double(total),
        "peak_bytes": PeakMemory.megabytes.map { JSONValue.integer(Int64($0 * 1e6)) } ?? .null,
        "evaluations": .integer(Int64(effort.evaluations)),
        "evaluations_saved": .integer(Int64(effort.saved)),
        "rounds": .integer(Int64(effort.rounds)),
      ]
      Terminal.output(JSONValue.object(object).text())
      return
    }
    let what = count == 1 ? "1 picture" : "\(count) pictures"
    let steps = request.steps ?? generator.defaults.steps
    Terminal.output(
      "\(what) in \(formatted(seconds: draw)), \(brief(Double(count) / draw)) a second "
        + "(\(steps) steps of \(request.solver.map { "\($0)" } ?? generator.defaults.solver), "
        + "\(effort), loading \(formatted(seconds: load)))")
    if files.count <= 4 {
      for file in files { Terminal.output(file) }
    } else {
      Terminal.output("\(files[0]) … \(files[files.count - 1])")
    }
  }
}

/// What the batches of a run took of the network.
private struct Effort: CustomStringConvertible {
  var evaluations = 0, saved = 0, rounds = 0

  var description: String {
    "\(evaluations) evaluations"
      + (saved > 0 ? " and \(saved) saved" : "")
      + (rounds < evaluations ? " in \(rounds) rounds" : "")
  }
}
