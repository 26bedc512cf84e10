// Rows of a matrix by panels of sixteen columns: the inner loop of products written here. Included after
// lanes.h by .inl files, once per level: no include guard.
#include "words.h"

// Rows whose sums fit the registers beside the columns of `kWidth` panels.
#if ITO_LEVEL >= 2
constexpr int kRows = 12, kWidth = 2;
#elif ITO_LEVEL == 1
constexpr int kRows = 6, kWidth = 1;
#else
constexpr int kRows = 2, kWidth = 1;
#endif

// Columns to be multiplied by: [panel][k][16 words], and where the products go: [panel][row][16].
struct Panels {
  const float* columns;  // or pairs, in as many bytes
  int64_t column_panel;  // words from a panel to the next
  float* products;
  int64_t product_panel, product_row;
};

// products[w][r] = sum over k words of a[r, k] columns[w][k] for R rows, `stride` apart in a, and W panels; added to what is
// there when `adds`. With `fetches` as much as it reads of a kRows rows is fetched into the second-level cache
// meanwhile, from `ahead` on: what a later product reads.
template <int R, int W, bool adds, bool fetches, typename Word>
static void product_rows(const Word* a, int64_t stride, const Panels& by, int64_t k, const char* ahead) {
  constexpr int kSteps = 4, kLines = (kRows * kSteps + kLanes - 1) / kLanes;
  lanes sum[R][W];
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int w = 0; w < W; w++) {
      if constexpr (adds)
        load_lanes(sum[r][w], by.products + w * by.product_panel + r * by.product_row);
      else
        sum[r][w] = 0;
    }
  const float* u = by.columns;
  auto step = [&](int64_t i) __attribute__((always_inline)) {
    lanes column[W];
#pragma clang loop unroll(full)
    for (int w = 0; w < W; w++) load_lanes(column[w], u + w * by.column_panel + i * kLanes);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
      for (int w = 0; w < W; w++) multiply_add(sum[r][w], column[w], a[r * stride + i]);
  };
  int64_t i = 0;
  for (; i + kSteps <= k; i += kSteps) {
    if constexpr (fetches) {
#pragma clang loop unroll(full)
      for (int line = 0; line < kLines; line++, ahead += 64) __builtin_prefetch(ahead, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < kSteps; j++) step(i + j);
  }
  for (; i < k; i++) step(i);
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int w = 0; w < W; w++)
      __builtin_memcpy(by.products + w * by.product_panel + r * by.product_row, &sum[r][w], sizeof(lanes));
}
// As many rows as are left, at most R.
template <int R, int W, bool adds, bool fetches = false, typename Word>
static inline void product_some(int64_t rows, const Word* a, int64_t stride, const Panels& by, int64_t k,
                                const char* ahead = nullptr) {
  if (rows >= R) return product_rows<R, W, adds, fetches>(a, stride, by, k, ahead);
  if constexpr (R > 1) product_some<R - 1, W, adds, fetches>(rows, a, stride, by, k, ahead);
}

// All of `rows` rows, in steps that are as even as can be; meanwhile `ahead_bytes` are fetched from `ahead` on, unless null.
template <int W, bool adds, typename Word>
static inline void product_all(int64_t rows, const Word* a, int64_t stride, Panels by, int64_t k, const char* ahead,
                               int64_t ahead_bytes) {
  const int64_t steps = (rows + kRows - 1) / kRows;
  for (int64_t s = 0; s < steps; s++) {
    const int64_t first = rows * s / steps, count = rows * (s + 1) / steps - first;
    Panels at = by;
    at.products += first * by.product_row;
    if (ahead && first * k * 4 < ahead_bytes)
      product_some<kRows, W, adds, true>(count, a + first * stride, stride, at, k, ahead + first * k * 4);
    else
      product_some<kRows, W, adds>(count, a + first * stride, stride, at, k);
  }
}
