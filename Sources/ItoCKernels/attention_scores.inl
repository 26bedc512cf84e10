// What forward and backward share beside the tiles: what is added to scores, and how queries are
// cut into blocks.

constexpr float kLog2E = 1.44269504f;

// Blocks of at most kMaxVectors vectors of queries, their sizes as even as can be.
static int64_t query_blocks(int64_t queries) { return divide_up(divide_up(queries, kLanes), kMaxVectors); }
struct QueryRange {
  int64_t begin, count;
  int vectors;
};
ITO_INLINE QueryRange query_range(int64_t queries, int64_t block) {
  int64_t vectors = divide_up(queries, kLanes), blocks = query_blocks(queries);
  int64_t begin = vectors * block / blocks, end = vectors * (block + 1) / blocks;
  int64_t last = end * kLanes < queries ? end * kLanes : queries;
  return {begin * kLanes, last - begin * kLanes, int(end - begin)};
}
// Under a causal mask late blocks cost more: taken from both ends in turn, any run of consecutive
// blocks costs about as much as another.
ITO_INLINE int64_t block_at(const ito_attention& p, int64_t position, int64_t blocks) {
  if (!p.causal) return position;
  return position % 2 ? blocks - 1 - position / 2 : position / 2;
}

// Keys up to the last one that the mask of batch b shows.
static int64_t visible_keys(const ito_attention& p, int64_t b) {
  int64_t end = p.keys;
  if (p.key_mask) {
    const uint8_t* mask = p.key_mask + b * p.keys;
    while (end > 0 && !mask[end - 1]) end--;
  }
  return end;
}

// The terms added to the scores of keys [k0, k0 + kn), as [key][lane] in units of log2, -infinity
// where a key is hidden; null when there is nothing to add and `scale` may be applied to the maximum.
template <int W>
static const float* added_terms(const ito_attention& p, int64_t b, int64_t h, const QueryRange& range,
                                int64_t k0, int64_t kn, float* out) {
  const uint8_t* mask = p.key_mask ? p.key_mask + b * p.keys + k0 : nullptr;
  if (mask && !memchr(mask, 0, kn)) mask = nullptr;
  bool cut = p.causal && k0 + kn - 1 > range.begin;
  if (!p.bias && !mask && !cut && p.scale >= 0) return nullptr;
  constexpr int width = W * kLanes;
  if (p.bias) {
    const float* bias = p.bias + b * p.bias_batch + h * p.bias_head + range.begin * p.keys + k0;
    pack_lanes<Single, W>(bias, p.keys, range.count, kn, out);
  }
  const float hidden = -__builtin_inff();
  vint lane;
  for (int i = 0; i < kLanes; i++) lane[i] = i;
  for (int64_t i = 0; i < kn; i++) {
    bool seen = !mask || mask[i];
    int64_t first = k0 + i - range.begin;  // the first query that sees this key under a causal mask
    int bound = !cut || first < 0 ? 0 : first > width ? width : int(first);
    for (int w = 0; w < W; w++) {
      float* term = out + (i * W + w) * kLanes;
      vfloat x = p.bias ? load_vector(term) * kLog2E : (vfloat)0.0f;
      vint hide = lane < bound - w * kLanes;
      x = hide ? (vfloat)hidden : x;
      store_vector(term, seen ? x : (vfloat)hidden);
    }
  }
  return out;
}
