// The backward pass (FlashAttention-2, algorithm 2) with blocks of queries outside: scores of a tile
// are recomputed from q, k and the saved log-sum-exp, and with D = sum(out * g) of each query
//     P = exp(scores - lse),  dS = P * (g v^T - D),
//     dv = P^T g,  dk = scale * dS^T q,  dq = scale * dS k,  dbias = dS.
#include "attention_score_gradients.inl"

// c[n][pitch] += a^T b over the words of a query block, b [query word][pitch].
template <class Op>
static void add_products(float* c, int64_t pitch, int64_t n, const typename Op::Word* a, int64_t row_words_,
                         const typename Op::Word* b, int64_t depth) {
  int64_t vectors = pitch / kLanes, parts = divide_up(vectors, kMaxVectors);
  for (int64_t i = 0; i < parts; i++) {
    int64_t from = vectors * i / parts, to = vectors * (i + 1) / parts;
    float* out = c + from * kLanes;
    const typename Op::Word* columns = b + from * kLanes;
    switch (to - from) {
      case 1: multiply_into<Op, 1>(out, pitch, false, n, a, row_words_, 1, columns, pitch, depth); break;
      case 2: multiply_into<Op, 2>(out, pitch, false, n, a, row_words_, 1, columns, pitch, depth); break;
#if ITO_LEVEL >= 2
      case 3: multiply_into<Op, 3>(out, pitch, false, n, a, row_words_, 1, columns, pitch, depth); break;
      default: multiply_into<Op, 4>(out, pitch, false, n, a, row_words_, 1, columns, pitch, depth); break;
#endif
    }
  }
}

template <class Op, class T, int W>
static void backward_block(const AttentionJob& j, const BackwardSpace<Op>& space, const BackwardOperands<Op>& kv,
                           int64_t b, int64_t h, const QueryRange& range, int64_t visible) {
  const ito_attention& p = *j.p;
  constexpr int width = W * kLanes;
  int64_t d = p.head_dim, pitch = space.pitch, n = range.count;
  SoftmaxGradient<W> s = load_queries<Op, T, W>(j, space, b, h, range);
  const T* q = static_cast<const T*>(j.q.data) + b * j.q.batch + h * j.q.head + range.begin * j.q.token;
  const T* g = static_cast<const T*>(j.g.data) + b * j.g.batch + h * j.g.head + range.begin * j.g.token;
  pack_columns(q, j.q.token, n, d, space.q_columns, pitch);
  pack_columns(g, j.g.token, n, d, space.g_columns, pitch);

  int64_t last = range.begin + n, depth = row_words<Op>(n);
  int64_t end = p.causal && last < visible ? last : visible;
  if (end == 0) memset(space.dq, 0, d * width * sizeof(float));
  for (int64_t k0 = 0; k0 < end; k0 += kKeyBlock) {
    int64_t kn = end - k0 < kKeyBlock ? end - k0 : int64_t(kKeyBlock);
    score_gradients<Op, W>(j, space, s, kv, b, h, range, k0, kn, ToOperands<Op, W>{space});
    add_products<Op>(space.dv + k0 * pitch, pitch, kn, space.p_rows, width / Op::kPerWord, space.g_columns, depth);
    add_products<Op>(space.dk + k0 * pitch, pitch, kn, space.ds_rows, width / Op::kPerWord, space.q_columns, depth);
    multiply_into<Op, W>(space.dq, width, k0 == 0, d, kv.k_columns.data + k0 / Op::kPerWord * kv.k_columns.pitch, 1,
                         kv.k_columns.pitch, space.ds_lanes, width, row_words<Op>(kn));
  }
  vfloat factor[W];
  for (int w = 0; w < W; w++) factor[w] = p.scale;
  T* dq = static_cast<T*>(j.dq.data) + b * j.dq.batch + h * j.dq.head + range.begin * j.dq.token;
  unpack_lanes<W>(space.dq, factor, n, d, dq, j.dq.token);
}

template <class T>
static void write_rows(const float* in, int64_t pitch, float factor, int64_t n, int64_t d, T* out, int64_t stride) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t e = 0; e < d; e++) store(out + i * stride + e, in[i * pitch + e] * factor);
  }
}

// The gradient of the bias for one block of queries, summed over what the bias is broadcast to in
// the order of batch and head. A unit is a block of one of the bias's own planes.
template <class Op, class T, int W>
static void bias_block(const AttentionJob& j, const BackwardSpace<Op>& space, int64_t b0, int64_t h0,
                       const QueryRange& range, float* dbias) {
  const ito_attention& p = *j.p;
  for (int64_t i = 0; i < range.count; i++) memset(dbias + i * p.keys, 0, p.keys * sizeof(float));
  vfloat one[W];
  for (int w = 0; w < W; w++) one[w] = 1.0f;
  float* turned = space.scores + kKeyBlock * W * kLanes;
  for (int64_t b = b0; b < (p.bias_batch ? b0 + 1 : p.batch); b++) {
    int64_t last = range.begin + range.count, visible = visible_keys(p, b);
    int64_t end = p.causal && last < visible ? last : visible;
    for (int64_t h = h0; h < (p.bias_head ? h0 + 1 : p.heads); h++) {
      BackwardOperands<Op> kv = backward_operands<Op, T>(j, space, b, h / (p.heads / p.kv_heads), false);
      SoftmaxGradient<W> s = load_queries<Op, T, W>(j, space, b, h, range);
      for (int64_t k0 = 0; k0 < end; k0 += kKeyBlock) {
        int64_t kn = end - k0 < kKeyBlock ? end - k0 : int64_t(kKeyBlock);
        score_gradients<Op, W>(j, space, s, kv, b, h, range, k0, kn, ToScores<Op, W>{space});
        unpack_lanes<W>(space.scores, one, range.count, kn, turned, kKeyBlock);
        for (int64_t i = 0; i < range.count; i++) {
          float* row = dbias + i * p.keys + k0;
          for (int64_t e = 0; e < kn; e++) row[e] += turned[i * kKeyBlock + e];
        }
      }
    }
  }
}

// Units are the chunks of each key head.
template <class Op, class T>
static void backward_units(const AttentionJob& j, int64_t begin, int64_t end) {
  const ito_attention& p = *j.p;
  OwnedSpace<Op> space(p, false, j.chunks == 1);
  int64_t blocks = query_blocks(p.queries), group = p.heads / p.kv_heads, d = p.head_dim;
  int64_t current = -1, visible = 0, sums = p.keys * space.pitch;
  BackwardOperands<Op> kv{};
  for (int64_t u = begin; u < end; u++) {
    int64_t pair = u / j.chunks, chunk = u % j.chunks;
    int64_t b = pair / p.kv_heads, kv_head = pair % p.kv_heads;
    if (pair != current) {
      kv = backward_operands<Op, T>(j, space, b, kv_head, true);
      visible = visible_keys(p, b);
      current = pair;
    }
    if (j.chunks > 1) {
      space.dk = j.partial + u * 2 * sums;
      space.dv = space.dk + sums;
    }
    memset(space.dk, 0, sums * sizeof(float));
    memset(space.dv, 0, sums * sizeof(float));
    int64_t all = group * blocks;
    for (int64_t i = all * chunk / j.chunks; i < all * (chunk + 1) / j.chunks; i++) {
      int64_t h = kv_head * group + i / blocks;
      QueryRange range = query_range(p.queries, block_at(p, i % blocks, blocks));
      switch (range.vectors) {
        case 1: backward_block<Op, T, 1>(j, space, kv, b, h, range, visible); break;
        case 2: backward_block<Op, T, 2>(j, space, kv, b, h, range, visible); break;
#if ITO_LEVEL >= 2
        case 3: backward_block<Op, T, 3>(j, space, kv, b, h, range, visible); break;
        default: backward_block<Op, T, 4>(j, space, kv, b, h, range, visible); break;
#endif
      }
    }
    if (j.chunks > 1) continue;
    T* dk = static_cast<T*>(j.dk.data) + b * j.dk.batch + kv_head * j.dk.head;
    T* dv = static_cast<T*>(j.dv.data) + b * j.dv.batch + kv_head * j.dv.head;
    write_rows(space.dk, space.pitch, p.scale, p.keys, d, dk, j.dk.token);
    write_rows(space.dv, space.pitch, 1.0f, p.keys, d, dv, j.dv.token);
  }
}

// Adds up the chunks' dk and dv in order. Units are the keys of each key head.
template <class T>
static void sum_units(const AttentionJob& j, int64_t begin, int64_t end) {
  const ito_attention& p = *j.p;
  int64_t d = p.head_dim, pitch = divide_up(d, kLanes) * kLanes, sums = p.keys * pitch;
  for (int64_t u = begin; u < end; u++) {
    int64_t pair = u / p.keys, key = u % p.keys, b = pair / p.kv_heads, h = pair % p.kv_heads;
    float* dk = j.partial + pair * j.chunks * 2 * sums + key * pitch;
    float* dv = dk + sums;
    for (int64_t c = 1; c < j.chunks; c++) {
      for (int64_t e = 0; e < pitch; e++) {
        dk[e] += dk[c * 2 * sums + e];
        dv[e] += dv[c * 2 * sums + e];
      }
    }
    write_rows(dk, pitch, p.scale, 1, d, static_cast<T*>(j.dk.data) + b * j.dk.batch + key * j.dk.token + h * j.dk.head, 0);
    write_rows(dv, pitch, 1.0f, 1, d, static_cast<T*>(j.dv.data) + b * j.dv.batch + key * j.dv.token + h * j.dv.head, 0);
  }
}

// Units are the query blocks of each plane of the bias.
template <class Op, class T>
static void bias_units(const AttentionJob& j, int64_t begin, int64_t end) {
  const ito_attention& p = *j.p;
  OwnedSpace<Op> space(p, true, false);
  int64_t blocks = query_blocks(p.queries), heads = p.bias_head ? p.heads : 1;
  for (int64_t u = begin; u < end; u++) {
    int64_t plane = u / blocks;
    QueryRange range = query_range(p.queries, block_at(p, u % blocks, blocks));
    float* dbias = j.dbias + (plane * p.queries + range.begin) * p.keys;
    int64_t b = plane / heads, h = plane % heads;
    switch (range.vectors) {
      case 1: bias_block<Op, T, 1>(j, space, b, h, range, dbias); break;
      case 2: bias_block<Op, T, 2>(j, space, b, h, range, dbias); break;
#if ITO_LEVEL >= 2
      case 3: bias_block<Op, T, 3>(j, space, b, h, range, dbias); break;
      default: bias_block<Op, T, 4>(j, space, b, h, range, dbias); break;
#endif
    }
  }
}

#if ITO_LEVEL == 3
#define ITO_BY_TYPE(f) return f<Pair, bf16>(j, begin, end)
#else
#define ITO_BY_TYPE(f)                                                 \
  if (j.p->dtype == ITO_BF16) return f<Single, bf16>(j, begin, end); \
  f<Single, float>(j, begin, end)
#endif
static void attention_backward_range(const AttentionJob& j, int64_t begin, int64_t end) { ITO_BY_TYPE(backward_units); }
static void attention_bias_range(const AttentionJob& j, int64_t begin, int64_t end) { ITO_BY_TYPE(bias_units); }
#undef ITO_BY_TYPE
static void attention_sum_range(const AttentionJob& j, int64_t begin, int64_t end) {
  if (j.p->dtype == ITO_BF16) return sum_units<bf16>(j, begin, end);
  sum_units<float>(j, begin, end);
}
static int64_t partial_pitch(int64_t d) { return divide_up(d, kLanes) * kLanes; }
