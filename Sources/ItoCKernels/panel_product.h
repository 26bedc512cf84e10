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
// the products; added to what is there when `adds`. With `every` it also fetches a line of 64 bytes into the
// second-level cache for every so many steps of k, from `ahead` on: what a later product reads.
template <int R, bool adds, int every>
static void product_rows(const float* a, int64_t stride, const float* u, int64_t k, float* products,
                         int64_t out_stride, const char* ahead) {
  lanes sum[R];
  for (int r = 0; r < R; r++) {
    if constexpr (adds)
      load_lanes(sum[r], products + r * out_stride);
    else
      sum[r] = 0;
  }
  int64_t i = 0;
  if constexpr (every > 0) {
    for (; i + every <= k; i += every, ahead += 64) {
      __builtin_prefetch(ahead, 0, 2);
#pragma clang loop unroll(full)
      for (int j = 0; j < every; j++) {
        lanes w;
        load_lanes(w, u + (i + j) * kLanes);
        for (int r = 0; r < R; r++) sum[r] += w * a[r * stride + i + j];
      }
    }
  }
#pragma clang loop unroll_count(2)
  for (; i < k; i++) {
    lanes w;
    load_lanes(w, u + i * kLanes);
    for (int r = 0; r < R; r++) sum[r] += w * a[r * stride + i];
  }
  for (int r = 0; r < R; r++) __builtin_memcpy(products + r * out_stride, &sum[r], sizeof(lanes));
}
// As many rows as are left, at most kRows.
template <int R, bool adds = false, int every = 0>
static inline void product_some(int64_t rows, const float* a, int64_t stride, const float* u, int64_t k,
                                float* products, int64_t out_stride = kLanes, const char* ahead = nullptr) {
  if (rows >= R) return product_rows<R, adds, every>(a, stride, u, k, products, out_stride, ahead);
  if constexpr (R > 1) product_some<R - 1, adds, every>(rows, a, stride, u, k, products, out_stride, ahead);
}
