// Part of a picture drawn anew: what is white in the mask. The rest stays as it is, bit for bit.
//
//     swift run example-repaint MODEL room.png mask.png "an armchair" new-room.png
import Ito

@main
struct Repaint {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 6 else { fatalError("usage: MODEL PICTURE MASK PROMPT RESULT") }

    let generator = try ImageGenerator(arguments[1])
    var request = GenerationRequest(prompts: [Prompt(arguments[4])], seed: 1)
    request.start = StartingPoint(
      picture: try PixelImage.read(arguments[2]), mask: try PixelImage.read(arguments[3]))
    try generator.generate(request)[0].write(arguments[5])
  }
}
