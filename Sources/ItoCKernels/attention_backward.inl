// The backward pass (FlashAttention-2, algorithm 2) with blocks of queries outside: scores of a tile
// are recomputed from q, k and the saved log-sum-exp, and with D = sum(out * g) of each query
//     P = exp(scores - lse),  dS = P * (g v^T - D),
//     dv = P^T g,  dk = scale * dS^T q,  dq = scale * dS k,  dbias = dS.
#include "attention_tiles.inl"
#include "attention_pack.inl"
#include "attention_scores.inl"

template <class Op>
struct BackwardSpace {
  typedef typename Op::Word Word;
  Word *k_rows, *k_columns, *v_rows;       // of one key head
  Word *q_lanes, *g_lanes;                 // a query block, [word][lane]
  Word *q_columns, *g_columns;             // a query block, [query word][pitch]
  Word *p_rows, *ds_rows, *ds_lanes;       // a block of keys, [key][query word] and [key word][lane]
  float *extra, *dq, *dk, *dv;
  float *scores;                           // for dbias: [key][lane], then [query][key]
  int64_t pitch;                           // the head dimension rounded up to whole vectors

  void lay(Arena& a, const ito_attention& p, bool for_bias, bool own_sums) {
    int64_t d = p.head_dim, words = row_words<Op>(d);
    const int64_t width = kMaxVectors * kLanes;
    pitch = divide_up(d, kLanes) * kLanes;
    k_rows = a.take<Word>(p.keys * words);
    v_rows = a.take<Word>(p.keys * words);
    k_columns = Op::kPerWord == 1 ? nullptr : a.take<Word>(row_words<Op>(p.keys) * d);
    q_lanes = a.take<Word>(words * width);
    g_lanes = a.take<Word>(words * width);
    extra = a.take<float>(kKeyBlock * width);
    if (for_bias) {
      scores = a.take<float>(2 * kKeyBlock * width);
      return;
    }
    q_columns = a.take<Word>(row_words<Op>(width) * pitch);
    g_columns = a.take<Word>(row_words<Op>(width) * pitch);
    p_rows = a.take<Word>(kKeyBlock * row_words<Op>(width));
    ds_rows = a.take<Word>(kKeyBlock * row_words<Op>(width));
    ds_lanes = Op::kPerWord == 1 ? ds_rows : a.take<Word>(row_words<Op>(kKeyBlock) * width);
    dq = a.take<float>(d * width);
    if (own_sums) {
      dk = a.take<float>(p.keys * pitch);
      dv = a.take<float>(p.keys * pitch);
    }
  }
};

template <class Op>
struct BackwardOperands {
  Operand<typename Op::Word> k, k_columns, v;
};

template <int W>
struct SoftmaxGradient {
  vfloat lse[W], inner[W];  // inner: D above
};

// Where a tile of P and dS goes: to the operands of the products with it, or as it is.
template <class Op, int W>
struct ToOperands {
  const BackwardSpace<Op>& space;
  enum { kRowWords = W * kLanes / Op::kPerWord };
  template <int R>
  __attribute__((always_inline)) void probabilities(int64_t i, const vfloat (&v)[R][W]) const {
    Op::store_rows(space.p_rows + i * kRowWords, v);
  }
  template <int R>
  __attribute__((always_inline)) void gradients(int64_t i, const vfloat (&v)[R][W]) const {
    Op::store_rows(space.ds_rows + i * kRowWords, v);
    if constexpr (Op::kPerWord > 1) Op::store_zipped(space.ds_lanes + i / Op::kPerWord * W * kLanes, v);
  }
};
template <class Op, int W>
struct ToScores {
  const BackwardSpace<Op>& space;
  template <int R>
  __attribute__((always_inline)) void probabilities(int64_t, const vfloat (&)[R][W]) const {}
  template <int R>
  __attribute__((always_inline)) void gradients(int64_t i, const vfloat (&v)[R][W]) const {
    Single::store_rows(space.scores + i * W * kLanes, v);
  }
};

template <class Op, int W, bool Added, class Sink>
static void score_gradients(const BackwardSpace<Op>& space, const SoftmaxGradient<W>& s,
                            const BackwardOperands<Op>& kv, int64_t k0, int64_t n, int64_t words, float scale,
                            const float* added, Sink sink) {
  for_rows<W>(n, [&](auto count, int64_t i) __attribute__((always_inline)) {
    constexpr int R = decltype(count)::value;
    vfloat acc[R][W], kept[R][W];
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = 0.0f;
    }
    multiply<Op, R, W>(acc, kv.k.data + (k0 + i) * kv.k.pitch, kv.k.pitch, 1, space.q_lanes, W * kLanes, words);
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) {
        vfloat x = acc[r][w] * scale - s.lse[w];
        if constexpr (Added) x = acc[r][w] * scale + load_vector(added + ((i + r) * W + w) * kLanes) - s.lse[w];
        kept[r][w] = exp2_vector<Op::kCoarse>(x);
      }
    }
    sink.probabilities(i, kept);
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = 0.0f;
    }
    multiply<Op, R, W>(acc, kv.v.data + (k0 + i) * kv.v.pitch, kv.v.pitch, 1, space.g_lanes, W * kLanes, words);
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = kept[r][w] * (acc[r][w] - s.inner[w]);
    }
    sink.gradients(i, acc);
  });
}

template <class Op, int W, class Sink>
static void score_gradients(const AttentionJob& j, const BackwardSpace<Op>& space, const SoftmaxGradient<W>& s,
                            const BackwardOperands<Op>& kv, int64_t b, int64_t h, const QueryRange& range,
                            int64_t k0, int64_t n, Sink sink) {
  const ito_attention& p = *j.p;
  int64_t words = row_words<Op>(p.head_dim);
  const float* added = added_terms<W>(p, b, h, range, k0, n, space.extra);
  if (added) {
    score_gradients<Op, W, true>(space, s, kv, k0, n, words, p.scale * kLog2E, added, sink);
  } else {
    score_gradients<Op, W, false>(space, s, kv, k0, n, words, p.scale * kLog2E, nullptr, sink);
  }
}

// sum of a[i] * b[i], in sixteen interleaved parts.
template <class T>
static float dot(const T* a, const T* b, int64_t n) {
  float part[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; l++) part[l] += load(a + i + l) * load(b + i + l);
  }
  for (int l = 0; i + l < n; l++) part[l] += load(a + i + l) * load(b + i + l);
  for (int step = 8; step; step /= 2) {
    for (int l = 0; l < step; l++) part[l] += part[l + step];
  }
  return part[0];
}

// Packs a query block's q and g for the score tiles, and reads its softmax.
template <class Op, class T, int W>
static SoftmaxGradient<W> load_queries(const AttentionJob& j, const BackwardSpace<Op>& space, int64_t b, int64_t h,
                                       const QueryRange& range) {
  const ito_attention& p = *j.p;
  int64_t d = p.head_dim, n = range.count;
  const T* q = static_cast<const T*>(j.q.data) + b * j.q.batch + h * j.q.head + range.begin * j.q.token;
  const T* g = static_cast<const T*>(j.g.data) + b * j.g.batch + h * j.g.head + range.begin * j.g.token;
  const T* o = static_cast<const T*>(j.o.data) + b * j.o.batch + h * j.o.head + range.begin * j.o.token;
  pack_lanes<Op, W>(q, j.q.token, n, d, space.q_lanes);
  pack_lanes<Op, W>(g, j.g.token, n, d, space.g_lanes);
  float lse[W * kLanes], inner[W * kLanes];
  const float* from = j.lse + (b * p.heads + h) * p.queries + range.begin;
  for (int64_t i = 0; i < W * kLanes; i++) {
    lse[i] = i < n ? from[i] : __builtin_inff();  // lanes past the end see no key
    inner[i] = i < n ? dot(o + i * j.o.token, g + i * j.g.token, d) : 0.0f;
  }
  SoftmaxGradient<W> s;
  memcpy(s.lse, lse, sizeof(lse));
  memcpy(s.inner, inner, sizeof(inner));
  return s;
}

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

template <class Op, class T>
static BackwardOperands<Op> backward_operands(const AttentionJob& j, const BackwardSpace<Op>& space, int64_t b,
                                              int64_t kv_head, bool with_columns) {
  const ito_attention& p = *j.p;
  int64_t d = p.head_dim;
  const T* k = static_cast<const T*>(j.k.data) + b * j.k.batch + kv_head * j.k.head;
  const T* v = static_cast<const T*>(j.v.data) + b * j.v.batch + kv_head * j.v.head;
  bool reuse = with_columns && query_blocks(p.queries) * (p.heads / p.kv_heads) > 4;
  BackwardOperands<Op> kv;
  kv.k = rows_of<Op>(k, j.k.token, p.keys, d, reuse, space.k_rows);
  kv.v = rows_of<Op>(v, j.v.token, p.keys, d, reuse, space.v_rows);
  if constexpr (Op::kPerWord == 1) {
    kv.k_columns = kv.k;
  } else if (with_columns) {
    pack_columns(k, j.k.token, p.keys, d, space.k_columns, d);
    kv.k_columns = {space.k_columns, d};
  }
  return kv;
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

template <class Op>
struct OwnedSpace : BackwardSpace<Op> {
  void* block;
  size_t bytes;
  OwnedSpace(const ito_attention& p, bool for_bias, bool own_sums) : BackwardSpace<Op>() {
    Arena arena;
    this->lay(arena, p, for_bias, own_sums);
    bytes = arena.used;
    block = ito_alloc(bytes);
    arena = Arena{static_cast<char*>(block), 0};
    this->lay(arena, p, for_bias, own_sums);
  }
  OwnedSpace(const OwnedSpace&) = delete;
  ~OwnedSpace() { ito_free(block, bytes); }
};

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
