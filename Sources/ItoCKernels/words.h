// What a step of a sum multiplies: a word, which is one float, or two bfloat16 side by side whose products the processor
// adds up at once (level 3). Included after lanes.h by .inl files, once per level: no include guard.
struct pair {
  uint32_t bits;  // the earlier one in the lower half
};
template <typename Word>
static constexpr int64_t kPerWord = __is_same(Word, pair) ? 2 : 1;

// sum += column * a
static inline __attribute__((always_inline)) void multiply_add(lanes& sum, const lanes& column, const float& a) {
  sum += column * a;
}

// The first `count` of sixteen values as words, one after the other; `count` may be more.
static inline void store_words(float* to, const lanes& v, int64_t count) {
  __builtin_memcpy(to, &v, size_t(count >= kLanes ? kLanes : count) * 4);
}

#if ITO_LEVEL == 3
// Of pairs a column is the bits of sixteen words.
static inline __attribute__((always_inline)) void multiply_add(lanes& sum, const lanes& column, const pair& a) {
  sum = (lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)column, (__m512bh)_mm512_set1_epi32(int(a.bits)));
}
// A value past `count` that shares a word with one before it is zero as it stands in `v`.
static inline void store_words(pair* to, const lanes& v, int64_t count) {
  const __m256i words = (__m256i)_mm512_cvtneps_pbh((__m512)v);
  __builtin_memcpy(to, &words, size_t(count >= kLanes ? kLanes : (count + 1) / 2 * 2) * 2);
}
// Sixteen words: each of `first` beside the same of `second`.
static inline void zip_words(const lanes& first, const lanes& second, float* to) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                         4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
  _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, both));
}
#endif
