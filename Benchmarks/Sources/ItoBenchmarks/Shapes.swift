import Ito

/// One product, convolution or attention of a shape list.
enum OperationShape: Sendable, Hashable {
  case gemm(rows: Int, columns: Int, inner: Int)
  case convolution(
    batch: Int, height: Int, width: Int, channels: Int, outChannels: Int, kernel: Int, stride: Int)
  /// Of tokens to themselves.
  case attention(batch: Int, tokens: Int, heads: Int, headDimension: Int)

  /// Multiplications and additions of one call.
  var operations: Double {
    switch self {
    case .gemm(let rows, let columns, let inner):
      return 2 * Double(rows) * Double(columns) * Double(inner)
    case .convolution(
      let batch, let height, let width, let channels, let outChannels, let kernel, let stride):
      let size = (
        (height + kernel / 2 * 2 - kernel) / stride + 1,
        (width + kernel / 2 * 2 - kernel) / stride + 1
      )
      return 2 * Double(batch * size.0 * size.1) * Double(channels * outChannels * kernel * kernel)
    case .attention(let batch, let tokens, let heads, let headDimension):
      return 4 * Double(batch * heads) * Double(tokens * tokens) * Double(headDimension)
    }
  }

  var kind: String {
    switch self {
    case .gemm: return "gemm"
    case .convolution: return "conv"
    case .attention: return "attention"
    }
  }

  /// As a shape list writes it, without the kind.
  var sizes: String {
    switch self {
    case .gemm(let rows, let columns, let inner): return "\(rows) \(columns) \(inner)"
    case .convolution(
      let batch, let height, let width, let channels, let outChannels, let kernel, let stride):
      return "\(batch) \(height) \(width) \(channels) \(outChannels) \(kernel) \(stride)"
    case .attention(let batch, let tokens, let heads, let headDimension):
      return "\(batch) \(tokens) \(heads) \(headDimension)"
    }
  }

  /// Reads `gemm 2048 2048 2048` or `conv 1 64 64 320 320 3 1`; nil when it is neither.
  init?(_ line: some StringProtocol) {
    let words = line.split { $0 == " " || $0 == "\t" }
    let sizes = words.dropFirst().compactMap { Int($0) }.filter { $0 > 0 }
    guard let kind = words.first, sizes.count == words.count - 1 else { return nil }
    switch (kind, sizes.count) {
    case ("gemm", 3): self = .gemm(rows: sizes[0], columns: sizes[1], inner: sizes[2])
    case ("conv", 7):
      self = .convolution(
        batch: sizes[0], height: sizes[1], width: sizes[2], channels: sizes[3],
        outChannels: sizes[4], kernel: sizes[5], stride: sizes[6])
    case ("attention", 4):
      self = .attention(
        batch: sizes[0], tokens: sizes[1], heads: sizes[2], headDimension: sizes[3])
    default: return nil
    }
  }

  /// The cases of a shape list; `#` starts a comment.
  static func list(_ path: String) throws -> [OperationShape] {
    let text = String(decoding: try readFile(path), as: UTF8.self)
    return try text.split(separator: "\n").enumerated().compactMap { number, line in
      let content = line.prefix { $0 != "#" }
      if content.allSatisfy({ $0 == " " || $0 == "\t" }) { return nil }
      guard let shape = OperationShape(content) else {
        throw BenchmarkError(
          "\(path): '\(content)' is none of 'gemm' with 3 sizes, 'conv' with 7 and 'attention' with 4"
        )
      }
      return shape
    }
  }
}

/// Why a benchmark cannot run.
struct BenchmarkError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
