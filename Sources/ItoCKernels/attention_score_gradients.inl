// What the gradients of an attention share: the memory and operands of a key head, and the tiles of P and dS (see
// attention_backward.inl) recomputed from q, k, g and v.
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
