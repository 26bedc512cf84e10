import ArgumentParser
import Ito

/// What the benchmarks of whole networks share: the network from its JSON description, and its process.
struct NetworkOptions: ParsableArguments {
  @Argument(help: "config.json of a network: diffusers' classes and Itô's own.")
  var network: String

  @Option(help: "Element type: f32 or bf16.")
  var precision = "f32"

  @Option(help: "Threads.")
  var threads = Runtime.threads

  @Option(help: "Tokens of a prompt, for networks that take one.")
  var tokens = 16

  /// The network's name, as in reports.
  var name: String {
    let file = network.split(separator: "/").last.map(String.init) ?? network
    return file.hasSuffix(".json") ? String(file.dropLast(5)) : file
  }

  func validate() throws {
    if threads < 1 { throw ValidationError("--threads \(threads): at least 1 is needed") }
    if !(1...4096).contains(tokens) { throw ValidationError("--tokens \(tokens): give 1 to 4096") }
    if precision != "f32" && precision != "bf16" {
      throw ValidationError("--precision \(precision): f32 and bf16 are measured")
    }
  }

  /// The network, with the thread count put into effect.
  func build() throws -> (network: any RegisteredBackbone, dtype: DType) {
    Runtime.threads = threads
    let json = try JSONValue.parse(try readFile(network, limit: 1 << 20))
    var initial = ParameterInitializer(seed: 0)
    return (try BackboneFamily.make(json, &initial), precision == "bf16" ? .bfloat16 : .float32)
  }

  /// One JSON line, with the fields that the peers print. `samples` is what one call does.
  func report(
    _ what: String, batch: Int, parameters: Int, _ timings: Timings, _ more: JSONObject = [:]
  ) {
    var line: JSONObject = [
      "peer": "ito", "what": .string(what), "network": .string(name),
      "precision": .string(precision), "threads": .integer(Int64(threads)),
      "batch": .integer(Int64(batch)), "runs": .integer(Int64(timings.wall.count)),
      "parameters": .integer(Int64(parameters)), "seconds_best": .rounded(timings.best, 6),
      "seconds_median": .rounded(timings.median, 6),
      "rate_best": .rounded(Double(batch) / timings.best, 5),
      "rate_median": .rounded(Double(batch) / timings.median, 5),
      "cpu_seconds_best": .rounded(timings.bestProcessor, 6),
      "cpu_rate_best": .rounded(Double(batch) / timings.bestProcessor, 5),
      "cpu_share": .rounded(timings.share(threads: threads), 3),
      "peak_rss_mb": .rounded(peakResidentMebibytes(), 5),
    ]
    for (key, value) in more { line[key] = value }
    emit(line)
  }
}
