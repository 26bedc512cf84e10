#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "transpose.h"

// Columns of b in panels of sixteen, zeros beyond the last: depth [begin, end) to [panel][end - begin][16].
template <typename T>
static void product_pack_columns_of(const ProductJob& job, int64_t begin, int64_t end, int64_t panel, float* to) {
  const ito_product_desc& d = *job.desc;
  const T* b = static_cast<const T*>(job.b);
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes, k = end - begin;
  if (width < kLanes) memset(to, 0, size_t(k * kLanes) * 4);
  if (d.b_transposed) return transpose(b + first * d.k + begin, d.k, width, k, to, kLanes);
  const T* from = b + begin * d.n + first;
  for (int64_t i = 0; i < k; i++, from += d.n, to += kLanes) {
    if (width == kLanes)
      for (int64_t c = 0; c < kLanes; c++) to[c] = load(from + c);
    else
      for (int64_t c = 0; c < width; c++) to[c] = load(from + c);
  }
}
static void product_pack_columns(const ProductJob& job, int64_t begin, int64_t end, int64_t panel, float* to) {
  switch (job.desc->b_dtype) {
    case ITO_BF16: return product_pack_columns_of<bf16>(job, begin, end, panel, to);
    case ITO_F16: return product_pack_columns_of<f16>(job, begin, end, panel, to);
    default: return product_pack_columns_of<float>(job, begin, end, panel, to);
  }
}

// Rows of a, one after the other: [rows][end - begin].
static void product_pack_rows(const ProductJob& job, int64_t begin, int64_t end, int64_t row, int64_t rows, float* to) {
  const ito_product_desc& d = *job.desc;
  const int64_t k = end - begin;
  if (d.a_transposed) return transpose(job.a + begin * d.m + row, d.m, k, rows, to, k);
  for (int64_t r = 0; r < rows; r++) memcpy(to + r * k, job.a + (row + r) * d.k + begin, size_t(k) * 4);
}

// The products of packed rows and one panel of columns: added to the result after the first block of depth, which begins
// with the bias.
static void product_panel(const ProductJob& job, const float* a, int64_t row, int64_t rows, const float* columns,
                          int64_t panel, int64_t k, bool is_first) {
  const ito_product_desc& d = *job.desc;
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes;
  const bool adds = !is_first || job.bias;
  for (int64_t r = 0; r < rows; r += kRows) {
    float* out = job.out + (row + r) * d.n + first;
    const int64_t left = rows - r, count = left < kRows ? left : kRows;
    if (is_first && job.bias)
      for (int64_t i = 0; i < count; i++) memcpy(out + i * d.n, job.bias + first, size_t(width) * 4);
    if (width == kLanes) {
      if (adds)
        product_some<kRows, true>(left, a + r * k, k, columns, k, out, d.n);
      else
        product_some<kRows, false>(left, a + r * k, k, columns, k, out, d.n);
      continue;
    }
    float products[kRows * kLanes];
    product_some<kRows, false>(left, a + r * k, k, columns, k, products);
    for (int64_t i = 0; i < count; i++)
      for (int64_t c = 0; c < width; c++)
        out[i * d.n + c] = (adds ? out[i * d.n + c] : 0.0f) + products[i * kLanes + c];
  }
}
