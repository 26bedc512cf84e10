import ArgumentParser
import Ito
import OneDNNDirect

/// Products and convolutions through `ItoTensors`, beside oneDNN called directly in the same minute.
struct Operations: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ops",
    abstract: "Products and convolutions through ItoTensors beside oneDNN called directly.",
    discussion: """
      Both run in turn, in one process, on the same threads. `ratio` is our rate over the best rate \
      of oneDNN's variants (its own activation layouts among them); `peak_share` our rate over the \
      largest rate oneDNN reached in this run.
      """)

  @Option(help: "The list of shapes.")
  var shapes = "shapes.txt"

  @Option(help: "Element types, separated by commas.")
  var types = "f32,bf16"

  @Option(help: "Rounds of each case; the best counts.")
  var rounds = 7

  @Option(help: "Seconds of one contestant in one round.")
  var slice = 0.03

  @Option(help: "Threads.")
  var threads = Runtime.threads

  @Flag(help: "Count processor seconds, which a busy machine disturbs less. For one thread only.")
  var processorTime = false

  func run() throws {
    guard !processorTime || threads == 1 else {
      throw BenchmarkError("--processor-time needs --threads 1: threads that wait also count")
    }
    guard threads >= 1 else { throw BenchmarkError("--threads \(threads): at least 1 is needed") }
    Runtime.threads = threads
    direct_set_threads(Int32(threads))
    let dtypes = try types.split(separator: ",").map { name -> (String, DType) in
      switch name {
      case "f32": return ("f32", .float32)
      case "bf16": return ("bf16", .bfloat16)
      default: throw BenchmarkError("--types \(name): f32 and bf16 are measured")
      }
    }
    let cases = try OperationShape.list(shapes)

    let bytes = 256 << 20
    let copy = direct_copy(Int64(bytes), 5)
    emit([
      "what": "copy", "threads": .integer(Int64(threads)), "bytes": .integer(Int64(bytes)),
      "gb_per_second": .rounded(2 * Double(bytes) / copy / 1e9),
    ])

    for (name, dtype) in dtypes {
      let results = cases.map { measure($0, dtype) }
      guard let peak = results.compactMap(\.direct).max() else {
        emit(["what": "unsupported", "type": .string(name)])
        continue
      }
      for result in results { emit(result.line(type: name, threads: threads, peak: peak)) }
      emit(summary(results, type: name, peak: peak))
    }
  }

  private func summary(_ results: [Result], type: String, peak: Double) -> JSONObject {
    let ratios = results.compactMap(\.ratio).sorted()
    let worst = results.filter { $0.ratio != nil }.min { ($0.ratio ?? 0) < ($1.ratio ?? 0) }
    return [
      "what": "summary", "type": .string(type), "cases": .integer(Int64(ratios.count)),
      "peak_gflops": .rounded(peak / 1e9),
      "ratio_least": .rounded(ratios.first ?? .nan),
      "ratio_median": .rounded(ratios.isEmpty ? .nan : ratios[ratios.count / 2]),
      "below_0.95": .integer(Int64(ratios.filter { $0 < 0.95 }.count)),
      "least": worst.map { .string("\($0.shape.kind) \($0.shape.sizes)") } ?? .null,
    ]
  }

  private struct Result {
    var shape: OperationShape
    var rate: Double
    var share: Double
    /// oneDNN's variants that this processor has.
    var variants: [(name: String, rate: Double)]

    /// The best of them.
    var direct: Double? { variants.map(\.rate).max() }
    var ratio: Double? { direct.map { rate / $0 } }

    func line(type: String, threads: Int, peak: Double) -> JSONObject {
      [
        "what": .string(shape.kind), "shape": .string(shape.sizes), "type": .string(type),
        "threads": .integer(Int64(threads)), "gflops": .rounded(rate / 1e9),
        "onednn_gflops": direct.map { .rounded($0 / 1e9) } ?? .null,
        "onednn_variants": .object(
          JSONObject(variants.map { ($0.name, .rounded($0.rate / 1e9)) })),
        "ratio": ratio.map { .rounded($0) } ?? .null, "peak_share": .rounded(rate / peak),
        "cpu_share": .rounded(share, 3),
      ]
    }
  }

  private func measure(_ shape: OperationShape, _ dtype: DType) -> Result {
    let rivals = directCases(shape, isBF16: dtype == .bfloat16)
    defer { for rival in rivals { direct_destroy(rival.subject) } }
    let ours = call(shape, dtype)
    let timings = race(
      rounds: rounds, slice: slice, [ours] + rivals.map { rival in { direct_run(rival.subject) } })
    func rate(_ timings: Timings) -> Double {
      shape.operations / (processorTime ? timings.bestProcessor : timings.best)
    }
    return Result(
      shape: shape, rate: rate(timings[0]), share: timings[0].share(threads: threads),
      variants: zip(rivals, timings.dropFirst()).map { ($0.variant, rate($1)) })
  }

  /// The operation as a model calls it in inference: untracked weights, packed on the first call.
  private func call(_ shape: OperationShape, _ dtype: DType) -> () -> Void {
    func filled(_ shape: Shape) -> Tensor { Tensor(repeating: 1 / 128, shape: shape, dtype: dtype) }
    switch shape {
    case .gemm(let rows, let columns, let inner):
      let x = filled([rows, inner]), w = filled([columns, inner])
      return { _ = x.linear(w) }
    case .convolution(
      let batch, let height, let width, let channels, let outChannels, let kernel, let stride):
      let x = filled([batch, height, width, channels])
      let w = filled([outChannels, kernel, kernel, channels])
      let options = ConvolutionOptions(stride: stride, padding: kernel / 2)
      return { _ = x.convolved(w, options) }
    case .attention(let batch, let tokens, let heads, let headDimension):
      let q = filled([batch, tokens, heads, headDimension])
      return { _ = attention(query: q, key: q, value: q) }
    }
  }

  private func directCases(_ shape: OperationShape, isBF16: Bool)
    -> [(subject: OpaquePointer, variant: String)]
  {
    let flag: Int32 = isBF16 ? 1 : 0
    switch shape {
    case .gemm(let rows, let columns, let inner):
      return (0..<direct_gemm_variants()).compactMap { variant in
        direct_gemm(Int64(rows), Int64(columns), Int64(inner), flag, variant).map {
          ($0, String(cString: direct_gemm_variant(variant)))
        }
      }
    case .convolution(
      let batch, let height, let width, let channels, let outChannels, let kernel, let stride):
      return (0..<direct_conv_variants()).compactMap { variant in
        direct_conv(
          Int64(batch), Int64(height), Int64(width), Int64(channels), Int64(outChannels),
          Int64(kernel), Int64(stride), flag, variant
        ).map { ($0, String(cString: direct_conv_variant(variant))) }
      }
    case .attention: return []
    }
  }
}
