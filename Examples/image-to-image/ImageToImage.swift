// A picture from a picture and words.
//
//     swift run example-image-to-image MODEL sketch.png "a castle on a hill" castle.png
import Ito

@main
struct ImageToImage {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5 else { fatalError("usage: MODEL PICTURE PROMPT RESULT") }

    let generator = try ImageGenerator(arguments[1])
    var request = GenerationRequest(prompts: [Prompt(arguments[3])], seed: 1, steps: 20)
    // Of 20 steps the last 12 are run: more strength, more change.
    request.start = StartingPoint(picture: try PixelImage.read(arguments[2]), strength: 0.6)
    try generator.generate(request)[0].write(arguments[4])
  }
}
