#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "transpose.h"
#include "vector_math.h"
#include "activations.h"

// Columns of b in panels of sixteen, zeros beyond the last: depth [begin, end) to [end - begin][16].
template <typename T>
static void product_pack_columns_of(const ProductJob& job, int64_t begin, int64_t end, int64_t panel, float* to) {
  const ito_product_desc& d = *job.desc;
  const T* b = static_cast<const T*>(job.b);
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes, k = end - begin;
  if (width < kLanes) memset(to, 0, size_t(k * kLanes) * 4);
  if (d.b_transposed) return transpose(b + first * d.b_stride + begin, d.b_stride, width, k, to, kLanes);
  const T* from = b + begin * d.b_stride + first;
  for (int64_t i = 0; i < k; i++, from += d.b_stride, to += kLanes) {
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

template <typename F>
static void product_activate_as(float* tile, int64_t rows, int64_t stride) {
  for (int64_t r = 0; r < rows; r++, tile += stride) {
    ITO_WIDE_LOOP
    for (int64_t c = 0; c < kLanes; c++) tile[c] = F::value(tile[c], 0, 0);
  }
}
static void product_activate(int64_t activation, float* tile, int64_t rows, int64_t stride) {
  switch (activation) {
#define CASE(NAME, F) \
  case NAME: return product_activate_as<F>(tile, rows, stride);
    ITO_FOR_EACH_ACTIVATION(CASE)
#undef CASE
  }
}

// The products of packed rows and one panel of columns: added to the result after the first part of the depth, which
// begins with the bias. Meanwhile `next`, the panel whose turn is next, is brought into the second-level cache: it comes
// slower than the inner loop would take it.
static void product_panel(const ProductJob& job, const ProductPart& part, const float* columns, const float* next,
                          int64_t panel) {
  const ito_product_desc& d = *job.desc;
  const ito_product_epilogue& after = *job.epilogue;
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes;
  const int64_t k = part.end - part.begin;
  const bool starts = part.begin == 0, ends = part.end == d.k, adds = !starts || after.bias;
  const bool is_whole = width == kLanes;
  float beside[kRows * kLanes] = {};  // a tile that is cut off by the edge
  for (int64_t r = 0; r < part.rows; r += kRows) {
    const int64_t left = part.rows - r, count = left < kRows ? left : kRows, at = (part.row + r) * d.n + first;
    float *out = job.out + at, *tile = is_whole ? out : beside;
    const int64_t stride = is_whole ? d.n : kLanes;
    if (next)
      for (int64_t i = k * r / part.rows; i < k * (r + count) / part.rows; i++)
        __builtin_prefetch(next + i * kLanes, 0, 2);
    for (int64_t i = 0; i < count; i++) {
      if (is_whole) __builtin_prefetch(out + i * d.n, 1);
      if (ends && after.residual) __builtin_prefetch(after.residual + at + i * d.n, 0);
      if (starts && after.bias)
        memcpy(tile + i * stride, after.bias + first, size_t(width) * 4);
      else if (!starts && !is_whole)
        memcpy(tile + i * stride, out + i * d.n, size_t(width) * 4);
    }
    if (adds)
      product_some<kRows, true>(left, part.a + r * k, k, columns, k, tile, stride);
    else
      product_some<kRows, false>(left, part.a + r * k, k, columns, k, tile, stride);
    if (ends && after.residual)
      for (int64_t i = 0; i < count; i++)
        for (int64_t c = 0; c < width; c++) tile[i * stride + c] += after.residual[at + i * d.n + c];
    if (ends) product_activate(after.activation, tile, count, stride);
    if (!is_whole)
      for (int64_t i = 0; i < count; i++) memcpy(out + i * d.n, tile + i * stride, size_t(width) * 4);
  }
}
