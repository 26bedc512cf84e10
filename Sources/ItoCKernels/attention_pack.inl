// Operands in the order the tiles read them. Included after attention_tiles.inl.

// `left` elements of a row as one vector of words, zero past the end.
template <class Op>
ITO_INLINE vfloat row_vector(const float* p, int64_t left) {
  if (left >= kLanes) return load_vector(p);
#if ITO_LEVEL >= 2
  return (vfloat)_mm512_maskz_loadu_ps(__mmask16((1u << left) - 1), p);
#else
  float t[kLanes] = {0};
  for (int64_t i = 0; i < left; i++) t[i] = p[i];
  return load_vector(t);
#endif
}
#if ITO_LEVEL < 3
template <class Op>
ITO_INLINE vfloat row_vector(const bf16* p, int64_t left) {
  typedef uint16_t vhalf __attribute__((ext_vector_type(kLanes)));
  typedef uint32_t vbits __attribute__((ext_vector_type(kLanes)));
  vhalf t = 0;
  if (left >= kLanes) {
    __builtin_memcpy(&t, p, sizeof(t));
  } else {
    for (int64_t i = 0; i < left; i++) t[i] = p[i].bits;
  }
  vbits bits = __builtin_convertvector(t, vbits) << 16;
  vfloat v;
  __builtin_memcpy(&v, &bits, sizeof(v));
  return v;
}
#else
template <class Op>
ITO_INLINE vfloat row_vector(const bf16* p, int64_t left) {
  if (left >= 2 * kLanes) return (vfloat)_mm512_loadu_si512(p);
  return (vfloat)_mm512_maskz_loadu_epi16(__mmask32((1u << left) - 1), p);
}
#endif

// The first `left` lanes as elements of a row.
ITO_INLINE void store_row(float* p, vfloat v, int64_t left) {
  if (left >= kLanes) return store_vector(p, v);
#if ITO_LEVEL >= 2
  _mm512_mask_storeu_ps(p, __mmask16((1u << left) - 1), (__m512)v);
#else
  float t[kLanes];
  store_vector(t, v);
  for (int64_t i = 0; i < left; i++) p[i] = t[i];
#endif
}
ITO_INLINE void store_row(bf16* p, vfloat v, int64_t left) {
#if ITO_LEVEL == 3
  __m256i h = (__m256i)_mm512_cvtneps_pbh((__m512)v);
  _mm256_mask_storeu_epi16(p, left >= kLanes ? __mmask16(0xffff) : __mmask16((1u << left) - 1), h);
#else
  float t[kLanes];
  bf16 h[kLanes];
  store_vector(t, v);
  for (int i = 0; i < kLanes; i++) store(h + i, t[i]);
  if (left >= kLanes) {
    __builtin_memcpy(p, h, sizeof(h));
  } else {
    for (int64_t i = 0; i < left; i++) p[i] = h[i];
  }
#endif
}

// Words in a row of d elements.
template <class Op>
ITO_INLINE int64_t row_words(int64_t d) {
  return (d + Op::kPerWord - 1) / Op::kPerWord;
}

// out[word][lane] of `n` rows of d elements; lanes past n are zero.
template <class Op, int W, class T>
static void pack_lanes(const T* in, int64_t stride, int64_t n, int64_t d, typename Op::Word* out) {
  int64_t words = row_words<Op>(d);
  for (int w = 0; w < W; w++) {
    int64_t rows = n - w * kLanes;
    for (int64_t e = 0; e < words; e += kLanes) {
      const T* from = in + w * kLanes * stride + e * Op::kPerWord;
      int64_t left = d - e * Op::kPerWord;
      vfloat v[kLanes];
      ITO_UNROLL
      for (int i = 0; i < kLanes; i++) v[i] = i < rows ? row_vector<Op>(from + i * stride, left) : (vfloat)0.0f;
      transpose(v);
      typename Op::Word* to = out + (e * W + w) * kLanes;
      if (words - e >= kLanes) {
        ITO_UNROLL
        for (int i = 0; i < kLanes; i++) __builtin_memcpy(to + i * W * kLanes, &v[i], sizeof(vfloat));
      } else {
        for (int i = 0; i < words - e; i++) __builtin_memcpy(to + i * W * kLanes, &v[i], sizeof(vfloat));
      }
    }
  }
}

// Rows [n][d] of T from in[d][lane], each lane multiplied by its factor.
template <int W, class T>
static void unpack_lanes(const float* in, const vfloat* factor, int64_t n, int64_t d, T* out, int64_t stride) {
  for (int w = 0; w < W; w++) {
    int64_t rows = n - w * kLanes;
    for (int64_t e = 0; e < d; e += kLanes) {
      const float* from = in + (e * W + w) * kLanes;
      int64_t left = d - e;
      vfloat v[kLanes];
      ITO_UNROLL
      for (int i = 0; i < kLanes; i++)
        v[i] = i < left ? load_vector(from + i * W * kLanes) * factor[w] : (vfloat)0.0f;
      transpose(v);
      T* to = out + w * kLanes * stride + e;
      if (rows >= kLanes) {
        ITO_UNROLL
        for (int i = 0; i < kLanes; i++) store_row(to + i * stride, v[i], left);
      } else {
        for (int i = 0; i < rows; i++) store_row(to + i * stride, v[i], left);
      }
    }
  }
}

// Rows as words, one after another: out[row][row_words(d)].
static inline void pack_row(const float* in, int64_t d, float* out) { __builtin_memcpy(out, in, d * sizeof(float)); }
static inline void pack_row(const bf16* in, int64_t d, float* out) {
  for (int64_t i = 0; i < d; i++) out[i] = load(in + i);
}
static inline void pack_row(const bf16* in, int64_t d, uint32_t* out) {
  __builtin_memcpy(out, in, d * sizeof(bf16));
  if (d % 2) out[d / 2] &= 0xffffu;
}
template <class Op, class T>
static void pack_rows(const T* in, int64_t stride, int64_t n, int64_t d, typename Op::Word* out) {
  int64_t words = row_words<Op>(d);
  for (int64_t i = 0; i < n; i++) {
    if (d % Op::kPerWord) out[i * words + words - 1] = 0;
    pack_row(in + i * stride, d, out + i * words);
  }
}

// Rows zipped into words along the row axis: out[row word][pitch], zero from d on.
template <class T>
static void pack_columns(const T* in, int64_t stride, int64_t n, int64_t d, float* out, int64_t pitch) {
  for (int64_t i = 0; i < n; i++) {
    pack_row(in + i * stride, d, out + i * pitch);
    for (int64_t e = d; e < pitch; e++) out[i * pitch + e] = 0;
  }
}
#if ITO_LEVEL == 3
static void pack_columns(const bf16* in, int64_t stride, int64_t n, int64_t d, uint32_t* out, int64_t pitch) {
  for (int64_t i = 0; i < n; i += 2, in += 2 * stride, out += pitch) {
    const bf16* next = in + stride;
    if (i + 1 < n) {
      for (int64_t e = 0; e < d; e++) out[e] = uint32_t(in[e].bits) | uint32_t(next[e].bits) << 16;
    } else {
      for (int64_t e = 0; e < d; e++) out[e] = in[e].bits;
    }
    for (int64_t e = d; e < pitch; e++) out[e] = 0;
  }
}
#endif

// An operand and the distance between its rows in words.
template <class Word>
struct Operand {
  const Word* data;
  int64_t pitch;
};

// Rows usable where they are, or packed into `space`. `reuse` says that they are read often enough
// for a dense copy to pay.
template <class Op>
static Operand<float> rows_of(const float* in, int64_t stride, int64_t n, int64_t d, bool reuse, float* space) {
  if (!reuse || stride == d) return {in, stride};
  pack_rows<Op>(in, stride, n, d, space);
  return {space, d};
}
#if ITO_LEVEL < 3
template <class Op>
static Operand<float> rows_of(const bf16* in, int64_t stride, int64_t n, int64_t d, bool, float* space) {
  pack_rows<Op>(in, stride, n, d, space);
  return {space, d};
}
#else
template <class Op>
static Operand<uint32_t> rows_of(const bf16* in, int64_t stride, int64_t n, int64_t d, bool reuse, uint32_t* space) {
  if (d % 2 == 0 && stride % 2 == 0 && (!reuse || stride == d))
    return {reinterpret_cast<const uint32_t*>(in), stride / 2};
  pack_rows<Op>(in, stride, n, d, space);
  return {space, row_words<Op>(d)};
}
#endif
