// A picture from words, with the model's own settings.
//
//     swift run example-text-to-image MODEL "a red apple" apple.png
//
// MODEL is a folder of a model hub (Stable Diffusion 1.x, 2.x, SDXL) or one that `ito train` wrote.
import Ito

@main
struct TextToImage {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 3 else { fatalError("usage: MODEL PROMPT PICTURE") }
    let (model, prompt, file) = (arguments[1], arguments[2], arguments[3])

    let generator = try ImageGenerator(model)
    let request = GenerationRequest(prompts: [Prompt(prompt, negative: "blurry")], seed: 7)
    let pictures = try generator.generate(
      request, onStep: { print("step \($0.done) of \($0.total)") })
    let recipe = generator.recipe(of: request, picture: 0, tool: "example")
    try pictures[0].write(file, metadata: ["parameters": recipe.parameterText])
  }
}
