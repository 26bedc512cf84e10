// What follows the products of strassen.inl: included by it, once per level.

static inline void store_both(float* p, const lanes& first, const lanes& second) {
  __builtin_memcpy(p, &first, sizeof(lanes));
  __builtin_memcpy(p + kLanes, &second, sizeof(lanes));
}
static inline void store_both(bf16* p, const lanes& first, const lanes& second) {
#if ITO_LEVEL == 3
  _mm512_storeu_si512(p, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
#else
  store_lanes(p, reinterpret_cast<const float*>(&first), kLanes);
  store_lanes(p + kLanes, reinterpret_cast<const float*>(&second), kLanes);
#endif
}

// A row of a block of columns: what follows its sums, and its way to the result.
template <typename T>
static inline void strassen_store(const StrassenJob& job, int64_t row, int64_t column, float* sums) {
  const ito_product_desc& d = *job.desc;
  const ito_product_epilogue& after = *job.epilogue;
  const int64_t width = d.n - column < kColumns ? d.n - column : kColumns, at = row * d.n + column;
  const bool is_whole = width == kColumns;
  const T* residual = after.residual ? static_cast<const T*>(after.residual) + at : nullptr;
  T* out = static_cast<T*>(job.out) + at;
  constexpr int kVectors = kColumns / kLanes;
  lanes v[kVectors], more;
#pragma clang loop unroll(full)
  for (int i = 0; i < kVectors; i++) {
    load_lanes(v[i], sums + i * kLanes);
    load_lanes(more, job.column_scales + column + i * kLanes);
    v[i] *= more * job.row_scales[row - job.first_row];
  }
  if (after.bias && is_whole)
#pragma clang loop unroll(full)
    for (int i = 0; i < kVectors; i++) {
      load_lanes(more, after.bias + column + i * kLanes);
      v[i] += more;
    }
  if (residual && is_whole)
#pragma clang loop unroll(full)
    for (int i = 0; i < kVectors; i++) {
      load_lanes(more, residual + i * kLanes);
      v[i] += more;
    }
  if (is_whole && after.activation == ITO_UNARY_NONE) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kVectors; i += 2) store_both(out + i * kLanes, v[i], v[i + 1]);
    return;
  }
  __builtin_memcpy(sums, v, sizeof(v));
  if (!is_whole)
    for (int64_t c = 0; c < width; c++)
      sums[c] += (after.bias ? after.bias[column + c] : 0) + (residual ? load(residual + c) : 0);
  if (after.activation != ITO_UNARY_NONE) activate_row<kColumns>(after.activation, sums);
  for (int64_t c = 0; c < width; c += kLanes) store_lanes(out + c, sums + c, width - c < kLanes ? width - c : kLanes);
}

// The results of `count` pairs of rows from their products, [term][panel][pair][16].
template <typename T>
static void strassen_finish_of(const StrassenJob& job, int64_t block, int64_t begin, int64_t count, const float* products) {
  const int64_t term = kGroup * count;
  for (int64_t r = 0; r < count; r++) {
    float sums[2][kColumns];
    for (int64_t p = 0; p < kPanels; p++) {
      const float* from = products + (p * count + r) * kLanes;
      lanes m[kTerms];
#pragma clang loop unroll(full)
      for (int i = 0; i < kTerms; i++) load_lanes(m[i], from + i * term);
      const lanes c[4] = {m[0] + m[3] - m[4] + m[6], m[2] + m[4], m[1] + m[3], m[0] - m[1] + m[2] + m[5]};
#pragma clang loop unroll(full)
      for (int q = 0; q < 4; q++) __builtin_memcpy(sums[q / 2] + (q % 2 * kPanels + p) * kLanes, &c[q], sizeof(lanes));
    }
    const int64_t row = job.first_row + 2 * (begin + r);
    for (int64_t i = 0; i < 2 && row + i < job.desc->m; i++) strassen_store<T>(job, row + i, block * kColumns, sums[i]);
  }
}
static void strassen_finish(const StrassenJob& job, int64_t block, int64_t begin, int64_t count, const float* products) {
  job.desc->out_dtype == ITO_BF16 ? strassen_finish_of<bf16>(job, block, begin, count, products)
                                  : strassen_finish_of<float>(job, block, begin, count, products);
}

// Brings what rows [first, last) of those in work will be written to into cache: they lie far apart.
static inline void strassen_expect(const StrassenJob& job, int64_t block, int64_t first, int64_t last) {
  const int64_t element = job.desc->out_dtype == ITO_BF16 ? 2 : 4, bytes = kColumns * element;
  const char* out = static_cast<const char*>(job.out) + ((job.first_row + first) * job.desc->n + block * kColumns) * element;
  for (int64_t r = first; r < last; r++, out += job.desc->n * element)
    for (int64_t line = 0; line < bytes; line += 64) __builtin_prefetch(out + line, 1, 2);
}
