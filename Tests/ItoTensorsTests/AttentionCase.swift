import ItoTensors
import ItoTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One attention problem: sizes, masks, and the tensors made for it.
struct AttentionCase: Sendable, CustomTestStringConvertible {
  enum Mask: Sendable { case none, padding, holes, everything }
  enum Bias: Sendable { case none, full, perHead, perBatch, shared }

  var batch = 2, queries = 9, keys = 11, heads = 2, keyHeads = 2, dimension = 8
  var mask = Mask.none
  var bias = Bias.none
  var isCausal = false
  var scale: Double?

  var testDescription: String {
    "\(batch) x \(queries) by \(keys), \(heads)/\(keyHeads) heads of \(dimension), mask \(mask), "
      + "bias \(bias)\(isCausal ? ", causal" : "")\(scale.map { ", scale \($0)" } ?? "")"
  }

  static let all: [AttentionCase] = [
    AttentionCase(),
    AttentionCase(batch: 1, queries: 1, keys: 1, dimension: 1),
    AttentionCase(queries: 49, keys: 49, dimension: 32),
    AttentionCase(queries: 77, keys: 1, dimension: 40),
    AttentionCase(queries: 2, keys: 197, dimension: 7),
    AttentionCase(queries: 130, keys: 205, heads: 1, keyHeads: 1, dimension: 72),
    AttentionCase(batch: 1, queries: 33, keys: 50, heads: 6, keyHeads: 2, dimension: 17),
    AttentionCase(batch: 1, queries: 20, keys: 31, heads: 3, keyHeads: 1, dimension: 256),
    AttentionCase(queries: 70, keys: 70, dimension: 24, isCausal: true),
    AttentionCase(queries: 30, keys: 75, dimension: 5, isCausal: true),
    AttentionCase(queries: 75, keys: 30, dimension: 16, isCausal: true),
    AttentionCase(batch: 3, queries: 40, keys: 120, dimension: 16, mask: .padding),
    AttentionCase(batch: 3, queries: 40, keys: 120, dimension: 16, mask: .holes),
    AttentionCase(queries: 5, keys: 9, mask: .everything),
    AttentionCase(queries: 35, keys: 101, bias: .full),
    AttentionCase(queries: 35, keys: 101, bias: .perHead),
    AttentionCase(queries: 17, keys: 18, bias: .perBatch),
    AttentionCase(queries: 66, keys: 19, bias: .shared),
    AttentionCase(
      batch: 2, queries: 67, keys: 67, heads: 4, keyHeads: 2, dimension: 12, mask: .holes,
      bias: .perHead, isCausal: true),
    AttentionCase(queries: 12, keys: 140, dimension: 20, scale: 1.5),
    AttentionCase(queries: 12, keys: 14, dimension: 20, scale: -0.2),
  ]

  var queryShape: Shape { [batch, queries, heads, dimension] }
  var keyShape: Shape { [batch, keys, keyHeads, dimension] }
  var biasShape: Shape? {
    switch bias {
    case .none: nil
    case .full: [batch, heads, queries, keys]
    case .perHead: [1, heads, queries, keys]
    case .perBatch: [batch, 1, queries, keys]
    case .shared: [1, 1, queries, keys]
    }
  }

  /// Query, key, value and bias in `dtype`; bias in float32.
  func inputs(_ dtype: DType = .float32) -> [Tensor] {
    let qkv = [
      randomTensor(queryShape, seed: 1, dtype: dtype),
      randomTensor(keyShape, seed: 2, dtype: dtype),
      randomTensor(keyShape, seed: 3, dtype: dtype),
    ]
    return qkv + (biasShape.map { [randomTensor($0, seed: 4)] } ?? [])
  }

  var maskTensor: Tensor? {
    let isSeen = (0..<(batch * keys)).map { i in
      let (b, j) = (i / keys, i % keys)
      return switch mask {
      case .none: true
      case .padding: j < keys - 13 * b - 5
      case .holes: (j * 7 + b) % 3 != 0
      case .everything: b > 0
      }
    }
    return mask == .none ? nil : Tensor(isSeen, shape: [batch, keys])
  }

  func run(_ inputs: [Tensor]) -> Tensor {
    attention(
      query: inputs[0], key: inputs[1], value: inputs[2], mask: maskTensor,
      bias: inputs.count > 3 ? inputs[3] : nil, isCausal: isCausal, scale: scale)
  }
}

/// Attention and its gradients one number at a time, in double precision.
struct NaiveAttention {
  var result: [Float] = []
  /// Of query, key, value and, when there is one, bias.
  var gradients: [[Float]] = []

  init(_ c: AttentionCase, _ inputs: [Tensor], gradient: Tensor) {
    let values = inputs.map { $0.scalars.map(Double.init) }
    let (q, k, v) = (values[0], values[1], values[2])
    let g = gradient.scalars.map(Double.init)
    let isSeen = c.maskTensor?.integers
    let scale = c.scale ?? 1 / Double(c.dimension).squareRoot()
    let n = c.dimension
    var out = [Double](repeating: 0, count: q.count)
    var d = values.map { [Double](repeating: 0, count: $0.count) }

    for b in 0..<c.batch {
      for h in 0..<c.heads {
        let keyHead = h / (c.heads / c.keyHeads)
        for i in 0..<c.queries {
          let qi = ((b * c.queries + i) * c.heads + h) * n
          let kj = { (j: Int) in ((b * c.keys + j) * c.keyHeads + keyHead) * n }
          let bij = { (j: Int) -> Int in
            let plane =
              switch c.bias {
              case .none, .shared: 0
              case .full: b * c.heads + h
              case .perHead: h
              case .perBatch: b
              }
            return (plane * c.queries + i) * c.keys + j
          }
          // Probabilities, all zero for a query that sees nothing.
          var p = [Double](repeating: 0, count: c.keys)
          let seen = (0..<c.keys).filter { j in
            isSeen?[b * c.keys + j] != 0 && !(c.isCausal && j > i)
          }
          for j in seen {
            for e in 0..<n { p[j] += q[qi + e] * k[kj(j) + e] }
            p[j] = p[j] * scale + (c.bias == .none ? 0 : values[3][bij(j)])
          }
          let top = seen.map { p[$0] }.max() ?? 0
          for j in seen { p[j] = exp(p[j] - top) }
          let sum = seen.reduce(0) { $0 + p[$1] }
          for j in seen { p[j] /= sum }

          var inner = 0.0
          for e in 0..<n {
            for j in seen { out[qi + e] += p[j] * v[kj(j) + e] }
            inner += out[qi + e] * g[qi + e]
          }
          for j in seen {
            var dp = 0.0
            for e in 0..<n { dp += g[qi + e] * v[kj(j) + e] }
            let ds = p[j] * (dp - inner)
            for e in 0..<n {
              d[0][qi + e] += scale * ds * k[kj(j) + e]
              d[1][kj(j) + e] += scale * ds * q[qi + e]
              d[2][kj(j) + e] += p[j] * g[qi + e]
            }
            if c.bias != .none { d[3][bij(j)] += ds }
          }
        }
      }
    }
    result = out.map { Float($0) }
    gradients = d.map { $0.map { Float($0) } }
  }
}
