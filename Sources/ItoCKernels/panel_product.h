// Rows of a matrix by a panel of sixteen columns: the inner loop of products written here. Included after
// lanes.h by .inl files, once per level: no include guard.

// Rows whose sums fit the registers beside sixteen columns.
#if ITO_LEVEL >= 2
constexpr int kRows = 12;
#elif ITO_LEVEL == 1
constexpr int kRows = 6;
#else
constexpr int kRows = 2;
#endif

// products[r, 0 ..< 16] = sum over k of a[r, k] u[k, 0 ..< 16] for R rows, `stride` apart in a and `out_stride` in
// the products; added to what is there when `adds`.
template <int R, bool adds>
static void product_rows(const float* a, int64_t stride, const float* u, int64_t k, float* products,
                         int64_t out_stride) {
  lanes sum[R];
  for (int r = 0; r < R; r++) {
    if constexpr (adds)
      load_lanes(sum[r], products + r * out_stride);
    else
      sum[r] = 0;
  }
#pragma clang loop unroll_count(2)
  for (int64_t i = 0; i < k; i++) {
    lanes w;
    load_lanes(w, u + i * kLanes);
    for (int r = 0; r < R; r++) sum[r] += w * a[r * stride + i];
  }
  for (int r = 0; r < R; r++) __builtin_memcpy(products + r * out_stride, &sum[r], sizeof(lanes));
}
// As many rows as are left, at most kRows.
template <int R, bool adds = false>
static inline void product_some(int64_t rows, const float* a, int64_t stride, const float* u, int64_t k,
                                float* products, int64_t out_stride = kLanes) {
  if (rows >= R) return product_rows<R, adds>(a, stride, u, k, products, out_stride);
  if constexpr (R > 1) product_some<R - 1, adds>(rows, a, stride, u, k, products, out_stride);
}
