#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "transpose.h"
#include "vector_math.h"
#include "activations.h"

// Columns of b in panels of sixteen, zeros beyond the last: depth [begin, end) to [end - begin][16].
template <typename T>
static void product_pack_columns_of(const ito_product_desc& d, const void* of, int64_t begin, int64_t end, int64_t panel,
                                    float* to) {
  const T* b = static_cast<const T*>(of);
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
static void product_pack_columns(const ito_product_desc& d, const void* b, int64_t begin, int64_t end, int64_t panel,
                                 float* to) {
  switch (d.b_dtype) {
    case ITO_BF16: return product_pack_columns_of<bf16>(d, b, begin, end, panel, to);
    case ITO_F16: return product_pack_columns_of<f16>(d, b, begin, end, panel, to);
    default: return product_pack_columns_of<float>(d, b, begin, end, panel, to);
  }
}

// `count` rows of sixteen, widened.
template <typename T>
static void product_widen_of(const T* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i++) {
    lanes v;
    load_lanes(v, from + i * kLanes);
    __builtin_memcpy(to + i * kLanes, &v, sizeof(v));
  }
}
static void product_widen(int64_t dtype, const void* from, int64_t count, float* to) {
  if (dtype == ITO_BF16) return product_widen_of(static_cast<const bf16*>(from), count, to);
  product_widen_of(static_cast<const f16*>(from), count, to);
}

// Rows of a, one after the other: [rows][end - begin].
template <typename T>
static void product_pack_rows_of(const ProductJob& job, const ProductPart& part, float* to) {
  const ito_product_desc& d = *job.desc;
  const T* a = static_cast<const T*>(job.a);
  const int64_t k = part.end - part.begin;
  if (d.a_transposed) return transpose(a + part.begin * d.m + part.row, d.m, k, part.rows, to, k);
  for (int64_t r = 0; r < part.rows; r++, to += k) {
    const T* from = a + (part.row + r) * d.k + part.begin;
    for (int64_t i = 0; i < k; i++) to[i] = load(from + i);
  }
}
static void product_pack_rows(const ProductJob& job, const ProductPart& part, float* to) {
  if (job.desc->dtype == ITO_BF16) return product_pack_rows_of<bf16>(job, part, to);
  product_pack_rows_of<float>(job, part, to);
}

// What follows the sums of a panel, and their way to the result.
template <typename T>
static void product_finish_of(const ProductJob& job, const ProductPart& part, int64_t panel, const float* sums) {
  const ito_product_desc& d = *job.desc;
  const ito_product_epilogue& after = *job.epilogue;
  const int64_t first = panel * kLanes, width = d.n - first < kLanes ? d.n - first : kLanes;
  const T* residual = static_cast<const T*>(after.residual);
  for (int64_t r = 0; r < part.rows; r++) {
    const int64_t at = (part.row + r) * d.n + first;
    lanes value, more = 0;
    load_lanes(value, sums + r * kLanes);
    if (residual && width == kLanes)
      load_lanes(more, residual + at);
    else if (residual)
      load_lanes(more, residual + at, width, 0.0f);
    if (residual) value += more;
    float* row = reinterpret_cast<float*>(&value);
    if (after.activation != ITO_UNARY_NONE) activate_row<kLanes>(after.activation, row);
    store_lanes(static_cast<T*>(job.out) + at, row, width);
  }
}
static void product_finish(const ProductJob& job, const ProductPart& part, int64_t panel, const float* sums) {
  if (job.desc->out_dtype == ITO_BF16) return product_finish_of<bf16>(job, part, panel, sums);
  product_finish_of<float>(job, part, panel, sums);
}

// The products of packed rows and `width` panels of columns: added to the sums, which begin with the bias.
static void product_panels(const ProductJob& job, const ProductPart& part, const ProductPanels& p) {
  const int64_t k = part.end - part.begin;
  const float* bias = job.epilogue->bias;
  const bool starts = part.begin == 0, adds = !starts || bias;
  if (starts && bias)
    for (int64_t w = 0; w < p.width; w++) {
      const int64_t first = (p.panel + w) * kLanes, width = job.desc->n - first < kLanes ? job.desc->n - first : kLanes;
      float row[kLanes] = {};
      __builtin_memcpy(row, bias + first, size_t(width) * 4);
      for (int64_t r = 0; r < part.rows; r++)
        __builtin_memcpy(p.sums + w * p.panel_sums + r * kLanes, row, sizeof(row));
    }
  for (int64_t w = 0; w < p.width;) {
    const Panels by{p.columns + w * k * kLanes, k * kLanes, p.sums + w * p.panel_sums, p.panel_sums, kLanes};
    const char* ahead = w ? nullptr : p.ahead;
    if (p.width - w >= kWidth) {
      adds ? product_all<kWidth, true>(part.rows, part.a, k, by, k, ahead, p.ahead_bytes)
           : product_all<kWidth, false>(part.rows, part.a, k, by, k, ahead, p.ahead_bytes);
      w += kWidth;
    } else {
      adds ? product_all<1, true>(part.rows, part.a, k, by, k, ahead, p.ahead_bytes)
           : product_all<1, false>(part.rows, part.a, k, by, k, ahead, p.ahead_bytes);
      w++;
    }
  }
}
