// Vectors, exp2, and the one matrix-product tile that attention is made of. Included once per
// instruction set.
//
// Lanes are queries. Scores are computed transposed, [key][query], so that the running maximum and
// sum of every query are plain vectors and no step reduces across lanes; the head dimension and the
// number of keys are then loop counts that need no padding.
//
// Operands are words: one float, or a pair of bfloat16 that `dpbf16` multiplies and adds up. A
// product sums over words of its inner axis, so an operand whose inner axis is its contiguous one is
// used in place, and one with the inner axis outside has two rows zipped into one of words.
#include "scalar_types.h"

#define ITO_INLINE static inline __attribute__((always_inline))
#define ITO_UNROLL _Pragma("clang loop unroll(full)")

#if ITO_LEVEL >= 2
enum { kLanes = 16, kMaxVectors = 4 };
#elif ITO_LEVEL == 1
enum { kLanes = 8, kMaxVectors = 2 };
#else
enum { kLanes = 4, kMaxVectors = 2 };
#endif
typedef float vfloat __attribute__((ext_vector_type(kLanes)));
typedef int32_t vint __attribute__((ext_vector_type(kLanes)));

// Rows of a register tile `W` vectors wide: as many as leave room for its operands.
template <int W>
struct TileRows {
#if ITO_LEVEL >= 2
  enum { value = W == 4 ? 6 : W == 3 ? 8 : 12 };
#elif ITO_LEVEL == 1
  enum { value = W == 2 ? 6 : 12 };
#else
  enum { value = W == 2 ? 4 : 8 };
#endif
};

ITO_INLINE vfloat load_vector(const float* p) {
  vfloat v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
ITO_INLINE void store_vector(float* p, vfloat v) { __builtin_memcpy(p, &v, sizeof(v)); }
// As the hardware does it: the second operand when one is NaN.
ITO_INLINE vfloat larger(vfloat a, vfloat b) { return a > b ? a : b; }

ITO_INLINE bool any_greater(vfloat a, vfloat b) {
#if ITO_LEVEL >= 2
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ) != 0;
#elif ITO_LEVEL == 1
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GT_OQ)) != 0;
#else
  vint more = a > b;
  return __builtin_reduce_or(more) != 0;
#endif
}

// 2^x for x < 128; 0 below the normal range. Relative error 2e-7, or 1e-4 with `Coarse`, which is
// for results that are then rounded to bfloat16 (4e-3).
template <bool Coarse>
ITO_INLINE vfloat exp2_vector(vfloat x) {
#if ITO_LEVEL >= 2
  // f = x - floor(x); scalef multiplies by 2^floor(x) and gives 0 for -inf.
  vfloat f = (vfloat)_mm512_reduce_ps((__m512)x, 0x09), p;
  if constexpr (Coarse) {
    p = f * 0.0780245215f + 0.226067156f;
    p = p * f + 0.695833564f;
    p = p * f + 0.999925196f;
  } else {
    p = f * 0.00187757669f + 0.00898933969f;
    p = p * f + 0.0558263175f;
    p = p * f + 0.240153611f;
    p = p * f + 0.693153083f;
    p = p * f + 0.99999994f;
  }
  return (vfloat)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
  vint small = x < -126.0f;
  vfloat clamped = small ? (vfloat)-126.0f : x;
  vfloat shifted = clamped + 12582912.0f;  // 1.5 * 2^23: rounds to an integer in the low bits
  vfloat f = clamped - (shifted - 12582912.0f);
  vfloat p = f * 0.00132764725f + 0.00967554096f;
  p = p * f + 0.0555071309f;
  p = p * f + 0.240221202f;
  p = p * f + 0.693146944f;
  p = p * f + 1.00000012f;
  vint bits;
  __builtin_memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits << 23) + 0x3f800000;
  vfloat power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return small ? (vfloat)0.0f : p * power;
#endif
}

// log2 of a positive normal x, error 1e-7: x = 2^e * f with f in [0.75, 1.5), then the series of
// atanh in z = (f - 1) / (f + 1).
ITO_INLINE vfloat log2_vector(vfloat x) {
  vint bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  vint e = (bits - 0x3f400000) >> 23;
  bits -= e << 23;
  vfloat f;
  __builtin_memcpy(&f, &bits, sizeof(f));
  vfloat z = (f - 1.0f) / (f + 1.0f), y = z * z;
  vfloat p = y * 0.439083159f + 0.576395214f;
  p = p * y + 0.961802185f;
  p = p * y + 2.88539004f;
  return __builtin_convertvector(e, vfloat) + z * p;
}

#if ITO_LEVEL >= 2
#define ITO_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define ITO_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif ITO_LEVEL == 1
#define ITO_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define ITO_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define ITO_LOW 0, 4, 1, 5
#define ITO_HIGH 2, 6, 3, 7
#endif
// Transposes kLanes vectors. Zipping the two halves of the rows rotates the address bits of the
// elements by one; after log2(kLanes) times row and column have changed places.
ITO_INLINE void transpose(vfloat (&v)[kLanes]) {
  ITO_UNROLL
  for (int stage = 1; stage < kLanes; stage *= 2) {
    vfloat t[kLanes];
    ITO_UNROLL
    for (int i = 0; i < kLanes / 2; i++) {
      t[2 * i] = __builtin_shufflevector(v[i], v[i + kLanes / 2], ITO_LOW);
      t[2 * i + 1] = __builtin_shufflevector(v[i], v[i + kLanes / 2], ITO_HIGH);
    }
    ITO_UNROLL
    for (int i = 0; i < kLanes; i++) v[i] = t[i];
  }
}
#undef ITO_LOW
#undef ITO_HIGH

// Words of one float.
struct Single {
  typedef float Word;
  enum { kPerWord = 1 };
  static constexpr bool kCoarse = false;
  ITO_INLINE vfloat splat(const float* p) { return (vfloat)*p; }
  ITO_INLINE vfloat load(const float* p) { return load_vector(p); }
  ITO_INLINE vfloat mac(vfloat sum, vfloat a, vfloat b) { return a * b + sum; }
  // A tile as words along its lanes, and as words along its rows: the same thing.
  template <int R, int W>
  ITO_INLINE void store_rows(float* out, const vfloat (&v)[R][W]) {
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) store_vector(out + (r * W + w) * kLanes, v[r][w]);
    }
  }
  template <int R, int W>
  ITO_INLINE void store_zipped(float* out, const vfloat (&v)[R][W]) {
    store_rows(out, v);
  }
};

#if ITO_LEVEL == 3
// Words of two bfloat16, the lower index in the lower half.
struct Pair {
  typedef uint32_t Word;
  enum { kPerWord = 2 };
  static constexpr bool kCoarse = true;
  ITO_INLINE __m512i splat(const uint32_t* p) {
    int32_t word;
    __builtin_memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
  }
  ITO_INLINE __m512i load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  ITO_INLINE vfloat mac(vfloat sum, __m512i a, __m512i b) {
    return (vfloat)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
  }
  // A tile as words along its lanes: [R][W * 8].
  template <int R, int W>
  ITO_INLINE void store_rows(uint32_t* out, const vfloat (&v)[R][W]) {
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w + 1 < W; w += 2)
        _mm512_storeu_si512(out + (r * W + w) * 8,
                            (__m512i)_mm512_cvtne2ps_pbh((__m512)v[r][w + 1], (__m512)v[r][w]));
      if constexpr (W % 2)
        _mm256_storeu_si256((__m256i*)(out + (r * W + W - 1) * 8),
                            (__m256i)_mm512_cvtneps_pbh((__m512)v[r][W - 1]));
    }
  }
  // A tile as words along its rows: [(R + 1) / 2][W * 16], an odd last row beside zeros.
  template <int R, int W>
  ITO_INLINE void store_zipped(uint32_t* out, const vfloat (&v)[R][W]) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                           22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    ITO_UNROLL
    for (int r = 0; r < R; r += 2) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) {
        vfloat next = r + 1 < R ? v[(r + 1) % R][w] : (vfloat)0.0f;
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)next, (__m512)v[r][w]);
        _mm512_storeu_si512(out + (r / 2 * W + w) * kLanes, _mm512_permutexvar_epi16(order, both));
      }
    }
  }
};
#endif

// acc[r][w] += sum over e of a[r * row + e * step] * b[e * pitch + w].
template <class Op, int R, int W>
ITO_INLINE void multiply(vfloat (&acc)[R][W], const typename Op::Word* a, int64_t row, int64_t step,
                         const typename Op::Word* b, int64_t pitch, int64_t depth) {
  for (int64_t e = 0; e < depth; e++, a += step, b += pitch) {
    decltype(Op::load(b)) bv[W];
    ITO_UNROLL
    for (int w = 0; w < W; w++) bv[w] = Op::load(b + w * kLanes);
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      auto av = Op::splat(a + r * row);
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = Op::mac(acc[r][w], av, bv[w]);
    }
  }
}

template <int N>
struct Count {
  enum { value = N };
};
// Runs `body(Count<R>, i)` over [0, n) in steps of the tile's rows, then 4, 2 and 1.
template <int W, class Body>
ITO_INLINE void for_rows(int64_t n, Body body) {
  constexpr int R = TileRows<W>::value;
  int64_t i = 0;
  for (; i + R <= n; i += R) body(Count<R>(), i);
  if constexpr (R > 4) {
    for (; i + 4 <= n; i += 4) body(Count<4>(), i);
  }
  for (; i + 2 <= n; i += 2) body(Count<2>(), i);
  for (; i < n; i++) body(Count<1>(), i);
}

// c[i * cs + w] (+)= the product of `n` rows of a with W vectors of b; adds to c unless `fresh`.
template <class Op, int W>
static void multiply_into(float* c, int64_t cs, bool fresh, int64_t n, const typename Op::Word* a,
                          int64_t row, int64_t step, const typename Op::Word* b, int64_t pitch,
                          int64_t depth) {
  for_rows<W>(n, [&](auto count, int64_t i) __attribute__((always_inline)) {
    constexpr int R = decltype(count)::value;
    vfloat acc[R][W];
    float* out = c + i * cs;
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) acc[r][w] = fresh ? (vfloat)0.0f : load_vector(out + r * cs + w * kLanes);
    }
    multiply<Op, R, W>(acc, a + i * row, row, step, b, pitch, depth);
    ITO_UNROLL
    for (int r = 0; r < R; r++) {
      ITO_UNROLL
      for (int w = 0; w < W; w++) store_vector(out + r * cs + w * kLanes, acc[r][w]);
    }
  });
}
