#include "scalar_types.h"
#include "lanes.h"
#include "vector_math.h"
#include "activations.h"

// A tile of sums whose vectors stay in registers.
#if ITO_LEVEL >= 2
constexpr int64_t kTileRows = 4, kTileColumns = 4;
#elif ITO_LEVEL == 1
constexpr int64_t kTileRows = 2, kTileColumns = 2;
#else
constexpr int64_t kTileRows = 1, kTileColumns = 2;
#endif

// Sums of R rows of x by kTileColumns rows of w, to out[row][kLanes]. The order of a sum is that of its own row and column.
template <int R, typename W>
static inline void row_product_tile(const float* x, const W* const* w, int64_t k, float* out) {
  lanes sums[R][kTileColumns];
  for (int r = 0; r < R; r++)
    for (int c = 0; c < kTileColumns; c++) sums[r][c] = 0;
  const auto add = [&](const lanes(&a)[R], const lanes(&b)[kTileColumns]) __attribute__((always_inline)) {
    for (int r = 0; r < R; r++)
      for (int c = 0; c < kTileColumns; c++) sums[r][c] += a[r] * b[c];
  };
  lanes a[R], b[kTileColumns];
  int64_t i = 0;
  for (; i + kLanes <= k; i += kLanes) {
    for (int r = 0; r < R; r++) load_lanes(a[r], x + r * k + i);
    for (int c = 0; c < kTileColumns; c++) load_lanes(b[c], w[c] + i);
    add(a, b);
  }
  if (i < k) {
    for (int r = 0; r < R; r++) load_lanes(a[r], x + r * k + i, k - i, 0.0f);
    for (int c = 0; c < kTileColumns; c++) load_lanes(b[c], w[c] + i, k - i, 0.0f);
    add(a, b);
  }
  for (int r = 0; r < R; r++)
    for (int c = 0; c < kTileColumns; c++) out[r * kLanes + c] = sum_of_lanes(sums[r][c]);
}

template <typename F>
static void row_product_activate_as(float* tile, int64_t rows) {
  for (int64_t r = 0; r < rows; r++, tile += kLanes) {
    ITO_WIDE_LOOP
    for (int64_t c = 0; c < kLanes; c++) tile[c] = F::value(tile[c], 0, 0);
  }
}
static void row_product_activate(int64_t activation, float* tile, int64_t rows) {
  switch (activation) {
#define CASE(NAME, F) \
  case NAME: return row_product_activate_as<F>(tile, rows);
    ITO_FOR_EACH_ACTIVATION(CASE)
#undef CASE
  }
}

template <typename T>
static void row_product_widen(const T* w, int64_t count, float* to) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < count; i++) to[i] = load(w + i);
}

// Sixteen columns of the result, or what is left of them, by as many rows of w.
template <typename W>
static void row_product_columns(const RowProduct& job, int64_t panel, const W* w) {
  const ito_row_product_desc& d = *job.desc;
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes, k = d.k;
  float tile[kRowsAtOnce * kLanes] = {};
  for (int64_t row = 0; row < d.m; row += kRowsAtOnce) {
    const int64_t rows = d.m - row < kRowsAtOnce ? d.m - row : kRowsAtOnce;
    for (int64_t c = 0; c < width; c += kTileColumns) {
      const W* columns[kTileColumns];
      // Beyond the last column that is computed again, into places that are not read.
      for (int64_t i = 0; i < kTileColumns; i++) columns[i] = w + (c + i < width ? c + i : width - 1) * k;
      int64_t r = 0;
      for (; r + kTileRows <= rows; r += kTileRows)
        row_product_tile<kTileRows>(job.x + (row + r) * k, columns, k, tile + r * kLanes + c);
      for (; r + 2 <= rows; r += 2) row_product_tile<2>(job.x + (row + r) * k, columns, k, tile + r * kLanes + c);
      for (; r < rows; r++) row_product_tile<1>(job.x + (row + r) * k, columns, k, tile + r * kLanes + c);
    }
    for (int64_t r = 0; r < rows; r++) {
      float* sums = tile + r * kLanes;
      if (d.bias)
        for (int64_t c = 0; c < width; c++) sums[c] += d.bias[first + c];
      if (d.residual)
        for (int64_t c = 0; c < width; c++) sums[c] += d.residual[(row + r) * d.n + first + c];
    }
    row_product_activate(d.activation, tile, rows);
    for (int64_t r = 0; r < rows; r++)
      memcpy(job.out + (row + r) * d.n + first, tile + r * kLanes, size_t(width) * 4);
  }
}

// The same by rows of w in half precision: for few rows of x widened as they are read, for more once, to `wide`.
template <typename W>
static void row_product_halves(const RowProduct& job, int64_t panel, float* wide) {
  const ito_row_product_desc& d = *job.desc;
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes;
  const W* w = static_cast<const W*>(job.w) + first * d.k;
  if (d.m <= 2 * kTileRows) return row_product_columns(job, panel, w);
  row_product_widen(w, width * d.k, wide);
  row_product_columns<float>(job, panel, wide);
}
static void row_product_range(const RowProduct& job, int64_t begin, int64_t end, float* wide) {
  const ito_row_product_desc& d = *job.desc;
  for (int64_t panel = begin; panel < end; panel++) {
    if (d.w_dtype == ITO_BF16)
      row_product_halves<bf16>(job, panel, wide);
    else if (d.w_dtype == ITO_F16)
      row_product_halves<f16>(job, panel, wide);
    else
      row_product_columns(job, panel, static_cast<const float*>(job.w) + panel * kLanes * d.k);
  }
}
