import ItoDiffusion
import ItoModules
import ItoTensors

/// One block of CLIP's transformers: attention and a feed-forward layer, each after a layer norm and
/// added to its input.
///
/// - Source: Radford et al. 2021, arXiv:2103.00020, §2.4; norms first as in GPT-2.
struct CLIPLayer: Module {
  private var norm1: LayerNorm, norm2: LayerNorm
  private var query: Linear, key: Linear, value: Linear, out: Linear
  private var up: Linear, down: Linear
  private let heads: Int, activation: Activation, isCausal: Bool

  init(
    width: Int, feedForward: Int, heads: Int, activation: Activation, epsilon: Double,
    isCausal: Bool, _ initial: inout ParameterInitializer
  ) {
    norm1 = LayerNorm(width, epsilon: epsilon, &initial)
    norm2 = LayerNorm(width, epsilon: epsilon, &initial)
    query = Linear(width, width, &initial)
    key = Linear(width, width, &initial)
    value = Linear(width, width, &initial)
    out = Linear(width, width, &initial)
    up = Linear(width, feedForward, &initial)
    down = Linear(feedForward, width, &initial)
    self.heads = heads
    self.activation = activation
    self.isCausal = isCausal
  }

  /// `[batch, tokens, width]` to the same shape.
  func callAsFunction(_ x: Tensor, block: Int, context: EvaluationContext) -> Tensor {
    let normed = norm1(x)
    func split(_ t: Tensor) -> Tensor {
      t.reshaped(to: [t.shape[0], t.shape[1], heads, t.shape[2] / heads])
    }
    let attended = context.attend(
      query: split(query(normed)), key: split(key(normed)), value: split(value(normed)),
      isCausal: isCausal, block: block)
    let hidden = out(attended.reshaped(to: x.shape), adding: x)
    return down(up(norm2(hidden), activation: activation), adding: hidden)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("self_attn") { v throws(V.Failure) in
      try v.child("q_proj", &query)
      try v.child("k_proj", &key)
      try v.child("v_proj", &value)
      try v.child("out_proj", &out)
    }
    try v.child("layer_norm1", &norm1)
    try v.scope("mlp") { v throws(V.Failure) in
      try v.child("fc1", &up)
      try v.child("fc2", &down)
    }
    try v.child("layer_norm2", &norm2)
  }
}
