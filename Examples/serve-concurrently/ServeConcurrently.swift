// One loaded model, several requests at once: what a server does. Each picture is the one it would be
// alone, previews arrive while it is drawn, and whoever loses interest cancels.
//
//     swift run example-serve-concurrently MODEL "a red apple" "a green pear"
import Ito

@main
struct ServeConcurrently {
  static func main() async throws {
    guard CommandLine.arguments.count > 2 else { fatalError("usage: MODEL PROMPT…") }
    let prompts = CommandLine.arguments.dropFirst(2)
    let generator = try ImageGenerator(CommandLine.arguments[1])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, prompt) in prompts.enumerated() {
        group.addTask {
          let request = GenerationRequest(prompts: [Prompt(prompt)], seed: 42)
          for try await event in generator.events(request, previewInterval: 5) {
            switch event {
            case .progress(let progress): print("\(number): \(progress.done)/\(progress.total)")
            case .preview(let pictures, _): try pictures.first?.write("preview-\(number).png")
            case .finished(let pictures): try pictures[0].write("picture-\(number).png")
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
