import ItoCheckpoints
import ItoComponents
import ItoTensors

/// A golden of another implementation: `config.json` (class and settings), `io.safetensors` (`in.*` and
/// `out.*`) and, for networks, `weights.safetensors`. Tensors are NCHW.
struct GoldenFolder: Sendable {
  let path: String
  let configuration: JSONValue
  let source: any TensorSource
  /// Where the model is, if not in the folder.
  var model: String?
  /// What networks compute in.
  var precision = DType.float32

  init(_ path: String) throws(PipelineError) {
    self.path = path
    configuration = try Self.json(path + "/config.json")
    source = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try SafeTensors(path: path + "/io.safetensors")
    }
  }

  /// The JSON in `file`.
  static func json(_ file: String) throws(PipelineError) -> JSONValue {
    let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
      try readFile(file, limit: 1 << 24)
    }
    return try wrapping({ PipelineError.syntax(file: file, $0) }) { () throws(JSONError) in
      try JSONValue.parse(bytes, options: .python)
    }
  }

  /// `_class_name`, if there is one.
  var className: String? { configuration["_class_name"]?.string }

  /// Names of the outputs, without `out.`.
  var outputs: [String] {
    source.keys.filter { $0.hasPrefix("out.") && !$0.hasPrefix(Self.halfPrefix) }.map {
      String($0.dropFirst(4))
    }.sorted()
  }

  /// What the other implementation computes in bfloat16.
  private static let halfPrefix = "out.bf16."

  /// The most the relative RMS error of a network's output `name` may be: in bfloat16 half as much again as the other
  /// implementation's own.
  func tolerance(of name: String) throws(PipelineError) -> Double {
    if precision == .float32 { return networkTolerance }
    guard let half = try optional(Self.halfPrefix + name) else {
      throw .request("\(path): has no \(Self.halfPrefix)\(name) to compare bfloat16 with")
    }
    let own = ParityReport(
      name, ours: half.cast(to: .float32), golden: try tensor("out.\(name)"), tolerance: nil)
    return 1.5 * own.relativeRMS
  }

  /// The tensor `name`, nil when there is none.
  func optional(_ name: String) throws(PipelineError) -> Tensor? {
    guard source.keys.contains(name) else { return nil }
    return try tensor(name)
  }

  /// The tensor `name`.
  func tensor(_ name: String) throws(PipelineError) -> Tensor {
    try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try source.tensor(name)
    }
  }

  /// Compares each output of the folder with ours of that name.
  ///
  /// - Throws: `PipelineError.request` for an output that we have nothing for.
  func reports(_ ours: [String: Tensor?]) throws(PipelineError) -> [ParityReport] {
    var reports: [ParityReport] = []
    for name in outputs {
      guard case .some(.some(let tensor)) = ours[name] else {
        throw .request("\(path): its output \"\(name)\" is not one that is compared")
      }
      reports.append(
        ParityReport(
          name, ours: tensor.cast(to: .float32), golden: try self.tensor("out.\(name)"),
          tolerance: try tolerance(of: name)))
    }
    return reports
  }
}

extension Tensor {
  /// NCHW to NHWC.
  var channelsLast: Tensor { permuted([0, 2, 3, 1]) }
  /// NHWC to NCHW.
  var channelsFirst: Tensor { permuted([0, 3, 1, 2]) }
}
