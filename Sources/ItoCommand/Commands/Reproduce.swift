import ArgumentParser
import ItoComponents
import ItoImages
import ItoPipelines

struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw a picture again from what its file says.",
    discussion: """
      Reads prompt, seed and settings from a picture made by Itô, stable-diffusion-webui, ComfyUI, \
      InvokeAI or stable-diffusion.cpp, says what cannot be matched, and draws it again.

      Examples:
        ito reproduce out/sneaker-7.png
        ito reproduce found.png --model models/sd15 --output again.png
        ito reproduce found.jpg --read-only
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "The picture.")
  var picture: String

  @Option(name: [.short, .long], help: "The model; by default the one the picture names.")
  var model: String?

  @OptionGroup var loading: LoadingFlags
  @OptionGroup var start: StartOptions

  @Option(name: [.short, .long], help: "The picture to write.")
  var output: String?

  @Flag(help: "Only say what the file tells, and draw nothing.")
  var readOnly = false

  func run() throws {
    shared.apply()
    let header = try ImageHeader.read(picture)
    guard let recipe = PictureRecipe(header.metadata) else {
      throw CommandFailure(
        "\(picture) does not say how it was made: it has no notes of Itô, stable-diffusion-webui, "
          + "ComfyUI, InvokeAI or stable-diffusion.cpp. Editors and websites often remove them.")
    }
    if readOnly {
      Terminal.output(recipe.parameterText)
      return
    }
    guard let name = model ?? recipe.model else {
      throw CommandFailure("\(picture) names no model; give one with --model.")
    }
    let generator = try loading.load(name)
    var (request, differences) = try generator.request(reproducing: recipe)
    if let start = try start.read() {
      request.start = start
      differences.removeAll { $0.contains("--init") }
      if self.start.strength == nil, let strength = recipe.strength {
        request.start?.strength = strength
      }
    }
    for difference in differences { Terminal.note("cannot be matched: \(difference)") }
    let interrupt = Interrupt.watch()
    var bar = ProgressBar("drawing", unit: "step", total: 1, isShown: !shared.json)
    let images = try generator.generate(request, isCancelled: { interrupt.isRequested }) {
      bar.update($0.done, of: $0.total)
    }
    bar.clear()
    let file = output ?? Self.fileBeside(picture)
    let text = generator.recipe(of: request, picture: 0, tool: "ito \(itoVersion)").parameterText
    try images[0].write(file, metadata: ["parameters": text])
    report(file, images[0], differences)
  }

  /// `a/b.jpg` to `b-again.png`, in the working directory.
  private static func fileBeside(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    return stem + "-again.png"
  }

  private func report(_ file: String, _ image: PixelImage, _ differences: [String]) {
    let same = (try? PixelImage.read(picture)).map { $0 == image }
    if shared.json {
      let object: JSONObject = [
        "file": .string(file), "identical": .bool(same == true),
        "differences": .array(differences.map { .string($0) }),
      ]
      Terminal.output(JSONValue.object(object).text())
    } else {
      Terminal.output(file)
      if same == true { Terminal.output("every pixel is the same") }
    }
  }
}
