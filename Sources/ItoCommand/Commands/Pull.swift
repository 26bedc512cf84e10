import ArgumentParser
import ItoComponents
import ItoHub

struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch a model from the hub into the cache that the Hugging Face tools share.",
    discussion: """
      Only the files the model needs are fetched; an interrupted pull goes on where it was. HF_HOME, \
      HF_HUB_CACHE, HF_ENDPOINT (a mirror), HF_TOKEN and HF_HUB_OFFLINE are heeded.

      Examples:
        ito pull org/name
        ito pull org/name@v1.0 --variant fp16
        ito pull org/name --file model.safetensors
        ito generate "a red apple" --model org/name
      """)

  @OptionGroup var shared: SharedOptions

  @Argument(help: "organisation/name, with @revision for one that is not 'main'.")
  var repository: String

  @Option(help: "Variant of the weights, such as fp16 (default: the plain ones).")
  var variant: String?

  @Option(name: .customLong("file"), help: "Fetch this file only; may be given several times.")
  var files: [String] = []

  func run() throws {
    let name = try RepositoryName(repository)
    let folder = try HubAccess.pull(name, variant: variant, files: files, isShown: !shared.json)
    Terminal.output(
      shared.json ? JSONValue.object(["folder": .string(folder)]).text() : folder)
  }
}
