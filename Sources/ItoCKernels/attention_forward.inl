// The forward pass over one block of queries (FlashAttention-2, algorithm 1). Scores go from
// registers to probabilities without touching memory: they are exponentiated against the maximum
// known so far, and only a tile that exceeds it by 2^kSlack makes the block start again from a
// higher one. Sums in float32 lose nothing by that.
#include "attention_tiles.inl"
#include "attention_pack.inl"
#include "attention_scores.inl"

constexpr float kSlack = 16.0f;
constexpr float kNothingSeen = -1e30f;

template <class Op>
struct ForwardSpace {
  typedef typename Op::Word Word;
  Word *q, *p, *rows, *columns;
  float *extra, *sum;
  void lay(Arena& a, const ito_attention& p_) {
    int64_t d = p_.head_dim, blocks = divide_up(kKeyBlock, Op::kPerWord);
    q = a.take<Word>(row_words<Op>(d) * kMaxVectors * kLanes);
    p = a.take<Word>(blocks * kMaxVectors * kLanes);
    extra = a.take<float>(kKeyBlock * kMaxVectors * kLanes);
    sum = a.take<float>(d * kMaxVectors * kLanes);
    rows = a.take<Word>(p_.keys * row_words<Op>(d));
    columns = a.take<Word>(row_words<Op>(p_.keys) * d);
  }
};

// Keys as rows of words, values zipped along the keys; one and the same layout for floats.
template <class Op>
struct KeysValues {
  Operand<typename Op::Word> k, v;
};

template <int W>
struct Softmax {
  vfloat maximum[W], total[W];
};

// Raises the maxima to those of `top`, rescaling what was summed below the old ones.
template <int W>
static __attribute__((noinline)) void raise_maximum(Softmax<W>& s, const vfloat* top, float* sum, int64_t d) {
  vfloat shrink[W];
  for (int w = 0; w < W; w++) {
    vfloat raised = larger(top[w], s.maximum[w]);
    shrink[w] = exp2_vector<false>(s.maximum[w] - raised);
    s.maximum[w] = raised;
    s.total[w] = s.total[w] * shrink[w];
  }
  for (int64_t i = 0; i < d; i++) {
    for (int w = 0; w < W; w++) {
      float* at = sum + (i * W + w) * kLanes;
      store_vector(at, load_vector(at) * shrink[w]);
    }
  }
}

// Probabilities of R keys from row i of the block, unnormalised; false when the maximum had to be
// raised and rows before i are stale. `d` is 0 while nothing was summed.
template <class Op, int R, int W, bool Added>
ITO_INLINE bool probabilities(const ForwardSpace<Op>& space, Softmax<W>& s, vfloat (&part)[W],
                              Operand<typename Op::Word> k, int64_t i, int64_t words, float scale,
                              const float* added, int64_t d) {
  vfloat acc[R][W];
  ITO_UNROLL
  for (int r = 0; r < R; r++) {
    ITO_UNROLL
    for (int w = 0; w < W; w++) acc[r][w] = 0.0f;
  }
  multiply<Op, R, W>(acc, k.data + i * k.pitch, k.pitch, 1, space.q, W * kLanes, words);
  if constexpr (Added) {
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = acc[r][w] * scale + load_vector(added + ((i + r) * W + w) * kLanes);
    }
    scale = 1.0f;
  }
  vfloat top[W], excess = s.maximum[0];
  ITO_UNROLL
  for (int w = 0; w < W; w++) {
    top[w] = acc[0][w];
    ITO_UNROLL
    for (int r = 1; r < R; r++) top[w] = larger(top[w], acc[r][w]);
    top[w] = top[w] * scale;
    vfloat above = top[w] - s.maximum[w];
    excess = w ? larger(above, excess) : above;
  }
  if (__builtin_expect(any_greater(excess, (vfloat)kSlack), 0)) {
    raise_maximum<W>(s, top, space.sum, d);
    if (i > 0) return false;
  }
  ITO_UNROLL
  for (int r = 0; r < R; r++) {
    ITO_UNROLL
    for (int w = 0; w < W; w++) {
      acc[r][w] = exp2_vector<Op::kCoarse>(acc[r][w] * scale - s.maximum[w]);
      part[w] += acc[r][w];
    }
  }
  Op::store_zipped(space.p + i / Op::kPerWord * W * kLanes, acc);
  return true;
}

// The probabilities of a block of `n` keys, and their sums added to the totals.
template <class Op, int W, bool Added>
static void probability_block(const ForwardSpace<Op>& space, Softmax<W>& s, Operand<typename Op::Word> k, int64_t n,
                              int64_t words, float scale, const float* added, int64_t d) {
  vfloat part[W];
  int64_t i = 0;
  auto step = [&](auto count) __attribute__((always_inline)) {
    constexpr int R = decltype(count)::value;
    bool kept = probabilities<Op, R, W, Added>(space, s, part, k, i, words, scale, added, d);
    i = kept ? i + R : 0;
  };
  constexpr int R = TileRows<W>::value;
  while (i < n) {
    if (i == 0) {
      for (int w = 0; w < W; w++) part[w] = 0.0f;
    }
    int64_t left = n - i;
    if (left >= R) {
      step(Count<R>());
    } else if (left >= 4) {
      step(Count<4>());
    } else if (left >= 2) {
      step(Count<2>());
    } else {
      step(Count<1>());
    }
  }
  for (int w = 0; w < W; w++) s.total[w] += part[w];
}

template <class Op, class T, int W>
static void forward_block(const AttentionJob& j, const ForwardSpace<Op>& space, const KeysValues<Op>& kv,
                          int64_t b, int64_t h, const QueryRange& range, int64_t visible) {
  const ito_attention& p = *j.p;
  constexpr int width = W * kLanes;
  int64_t d = p.head_dim, words = row_words<Op>(d);
  const T* q = static_cast<const T*>(j.q.data) + b * j.q.batch + h * j.q.head + range.begin * j.q.token;
  pack_lanes<Op, W>(q, j.q.token, range.count, d, space.q);

  Softmax<W> s;
  for (int w = 0; w < W; w++) s.maximum[w] = kNothingSeen, s.total[w] = 0.0f;
  int64_t last = range.begin + range.count;
  int64_t end = p.causal && last < visible ? last : visible;
  if (end == 0) memset(space.sum, 0, d * width * sizeof(float));
  for (int64_t k0 = 0; k0 < end; k0 += kKeyBlock) {
    int64_t n = end - k0 < kKeyBlock ? end - k0 : int64_t(kKeyBlock);
    Operand<typename Op::Word> k = {kv.k.data + k0 * kv.k.pitch, kv.k.pitch};
    const float* added = added_terms<W>(p, b, h, range, k0, n, space.extra);
    int64_t summed = k0 ? d : 0;
    if (added) {
      probability_block<Op, W, true>(space, s, k, n, words, p.scale * kLog2E, added, summed);
    } else {
      probability_block<Op, W, false>(space, s, k, n, words, p.scale * kLog2E, nullptr, summed);
    }
    multiply_into<Op, W>(space.sum, width, k0 == 0, d, kv.v.data + k0 / Op::kPerWord * kv.v.pitch, 1, kv.v.pitch,
                         space.p, width, row_words<Op>(n));
  }

  vfloat factor[W];
  for (int w = 0; w < W; w++) {
    vint none = s.total[w] == 0.0f;
    factor[w] = none ? (vfloat)0.0f : 1.0f / s.total[w];
    vfloat lse = s.maximum[w] + log2_vector(s.total[w]);
    s.maximum[w] = none ? (vfloat)__builtin_inff() : lse;
  }
  T* out = static_cast<T*>(j.out.data) + b * j.out.batch + h * j.out.head + range.begin * j.out.token;
  unpack_lanes<W>(space.sum, factor, range.count, d, out, j.out.token);
  if (j.lse) {
    float* lse = j.lse + (b * p.heads + h) * p.queries + range.begin;
    memcpy(lse, s.maximum, range.count * sizeof(float));
  }
}

// Keys and values of one head, in place where the tiles can read them so.
template <class Op, class T>
static KeysValues<Op> keys_values(const AttentionJob& j, const ForwardSpace<Op>& space, int64_t b, int64_t h) {
  const ito_attention& p = *j.p;
  int64_t d = p.head_dim;
  const T* k = static_cast<const T*>(j.k.data) + b * j.k.batch + h * j.k.head;
  const T* v = static_cast<const T*>(j.v.data) + b * j.v.batch + h * j.v.head;
  bool reuse = query_blocks(p.queries) * (p.heads / p.kv_heads) > 4;
  KeysValues<Op> kv;
  kv.k = rows_of<Op>(k, j.k.token, p.keys, d, reuse, space.rows);
  if constexpr (Op::kPerWord == 1) {
    kv.v = rows_of<Op>(v, j.v.token, p.keys, d, reuse, space.columns);
  } else {
    pack_columns(v, j.v.token, p.keys, d, space.columns, d);
    kv.v = {space.columns, d};
  }
  return kv;
}

// Units are query blocks, those of one key head together so that its keys are packed once.
template <class Op, class T>
static void forward_units(const AttentionJob& j, int64_t begin, int64_t end) {
  const ito_attention& p = *j.p;
  ForwardSpace<Op> space;
  Arena arena;
  space.lay(arena, p);
  size_t bytes = arena.used;
  void* block = ito_alloc(bytes);
  arena = Arena{static_cast<char*>(block), 0};
  space.lay(arena, p);

  int64_t blocks = query_blocks(p.queries), group = p.heads / p.kv_heads;
  int64_t current = -1, visible = 0;
  KeysValues<Op> kv{};
  for (int64_t u = begin; u < end; u++) {
    int64_t pair = u / (group * blocks), rest = u % (group * blocks);
    int64_t b = pair / p.kv_heads, kv_head = pair % p.kv_heads;
    if (pair != current) {
      kv = keys_values<Op, T>(j, space, b, kv_head);
      visible = visible_keys(p, b);
      current = pair;
    }
    int64_t h = kv_head * group + rest / blocks;
    QueryRange range = query_range(p.queries, block_at(p, rest % blocks, blocks));
    switch (range.vectors) {
      case 1: forward_block<Op, T, 1>(j, space, kv, b, h, range, visible); break;
      case 2: forward_block<Op, T, 2>(j, space, kv, b, h, range, visible); break;
#if ITO_LEVEL >= 2
      case 3: forward_block<Op, T, 3>(j, space, kv, b, h, range, visible); break;
      default: forward_block<Op, T, 4>(j, space, kv, b, h, range, visible); break;
#endif
    }
  }
  ito_free(block, bytes);
}

#if ITO_LEVEL == 3
static void attention_forward_range(const AttentionJob& j, int64_t begin, int64_t end) {
  forward_units<Pair, bf16>(j, begin, end);
}
#else
static void attention_forward_range(const AttentionJob& j, int64_t begin, int64_t end) {
  if (j.p->dtype == ITO_BF16) return forward_units<Single, bf16>(j, begin, end);
  forward_units<Single, float>(j, begin, end);
}
#endif
