import ItoDiffusion
import ItoModules
import ItoTensors

/// Multi-head attention with separate projections, named as in diffusers' `Attention`.
struct Attention: Module {
  var toQ: Linear, toK: Linear, toV: Linear, toOut: [Linear]
  var normQ: RMSNorm?, normK: RMSNorm?
  let heads: Int
  private let identity = LayerIdentity()

  /// - Parameters:
  ///   - features: width of the queries' stream and of the result.
  ///   - contextFeatures: width of the stream attended to; `features` for self-attention.
  ///   - zeroOutput: start as a layer that adds nothing.
  init(
    _ features: Int, heads: Int, headDimension: Int, contextFeatures: Int? = nil, bias: Bool = true,
    normalizesQueriesAndKeys: Bool = false, zeroOutput: Bool = false,
    _ initial: inout ParameterInitializer
  ) {
    let inner = heads * headDimension
    toQ = Linear(features, inner, bias: bias, &initial)
    toK = Linear(contextFeatures ?? features, inner, bias: bias, &initial)
    toV = Linear(contextFeatures ?? features, inner, bias: bias, &initial)
    toOut = [Linear(inner, features, zeros: zeroOutput, &initial)]
    normQ = normalizesQueriesAndKeys ? RMSNorm(headDimension, epsilon: 1e-6, &initial) : nil
    normK = normalizesQueriesAndKeys ? RMSNorm(headDimension, epsilon: 1e-6, &initial) : nil
    self.heads = heads
  }

  /// - Parameters:
  ///   - x: `[batch, tokens, features]`.
  ///   - encoder: `[batch, keys, contextFeatures]`, whose keys and values are computed once in a run; nil
  ///     attends to `x` itself.
  ///   - mask: bool `[batch, keys]`, true where a key takes part.
  ///   - residual: added to the result; nil for nothing.
  /// - Returns: the shape of `x`.
  func callAsFunction(
    _ x: Tensor, encoder: Tensor? = nil, mask: Tensor? = nil, adding residual: Tensor? = nil,
    block: Int, context: EvaluationContext
  ) -> Tensor {
    func split(_ t: Tensor) -> Tensor {
      t.reshaped(to: [t.shape[0], t.shape[1], heads, t.shape[2] / heads])
    }
    func keysAndValues(_ source: Tensor) -> [Tensor] {
      let key = split(toK(source))
      return [normK.map { $0(key) } ?? key, split(toV(source))]
    }
    var query = split(toQ(x))
    if let normQ { query = normQ(query) }
    let other = encoder.map { context.constants(of: identity, on: $0, keysAndValues) }
    let memory = other ?? keysAndValues(x)
    let attended = context.attention.attend(
      AttentionInputs(
        query: query, key: memory[0], value: memory[1], mask: mask,
        scale: 1 / Double(query.shape[3]).squareRoot()),
      block: block, step: context.step)
    return toOut[0](
      attended.reshaped(to: [x.shape[0], x.shape[1], toQ.weight.outFeatures]), adding: residual)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("to_q", &toQ)
    try v.child("to_k", &toK)
    try v.child("to_v", &toV)
    try v.children("to_out", &toOut)
    try v.child("norm_q", &normQ)
    try v.child("norm_k", &normK)
  }
}
