#pragma once
// Scaled dot-product attention and its gradient, in memory proportional to the number of tokens:
// scores exist only as tiles, softmax is accumulated online, and the backward pass recomputes the
// tiles from one number per query (Dao 2023, FlashAttention-2, arXiv:2307.08691, algorithms 1 and 2).
//
// Query i of batch b and head h sees key j with the score
//     scale * dot(q[b, i, h], k[b, j, h / (heads / kv_heads)]) + bias[b, h, i, j]
// unless it is masked: key_mask[b, j] == 0, or causal and j > i. A query that sees no key gives
// zeros and gets no gradient. NaN and infinity in the inputs reach the output.
//
// Products are float32 multiply-adds, or, for bfloat16 inputs from ITO_ISA_AVX512_BF16 on, bfloat16
// dot products into float32, with probabilities and score gradients rounded to bfloat16.
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What is computed, apart from the tensors.
typedef struct {
  int32_t dtype;  // ITO_F32 or ITO_BF16: of q, k, v, the output and their gradients
  int32_t causal;
  int64_t batch, queries, keys;
  int64_t heads, kv_heads;  // kv_heads divides heads
  int64_t head_dim;
  float scale;
  const float* bias;  // [.., .., queries, keys], the last two axes contiguous; or null
  int64_t bias_batch, bias_head;  // strides of its first two axes, 0 where it is broadcast
  const uint8_t* key_mask;  // [batch, keys], 1 where a key may be seen; or null
} ito_attention;

/// A tensor [batch, tokens, heads, head_dim] as a base and strides in elements; the last axis is
/// contiguous. So q, k and v may be parts of one projection's output.
typedef struct {
  const void* data;
  int64_t batch, token, head;
} ito_attention_in;
/// The same, written.
typedef struct {
  void* data;
  int64_t batch, token, head;
} ito_attention_out;

/// Writes the attention of `q` over `k`, `v`, and, when `lse` is not null, the base-2 logarithm of
/// each query's softmax sum, [batch, heads, queries], for the backward pass (infinity where every
/// key is masked).
void ito_attention_forward(const ito_attention* p, ito_attention_in q, ito_attention_in k,
                           ito_attention_in v, ito_attention_out out, float* lse);

/// Writes the gradients of q, k and v, and, when `dbias` is not null, that of the bias, contiguous
/// in float32, [batch or 1, heads or 1, queries, keys] as the bias is broadcast. `out` and `lse` are
/// the forward results and `g` the gradient of `out`. Sums run in an order fixed by the shapes and
/// the thread count.
void ito_attention_backward(const ito_attention* p, ito_attention_in q, ito_attention_in k,
                            ito_attention_in v, ito_attention_in out, ito_attention_in g,
                            const float* lse, ito_attention_out dq, ito_attention_out dk,
                            ito_attention_out dv, float* dbias);

#ifdef __cplusplus
}
#endif
