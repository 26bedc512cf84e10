#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "transpose.h"

// Sixteen columns of one result, from the diagonal down, and what they mirror to.
static void symmetric_panel(const SymmetricPanel& job) {
  const ito_symmetric_product_desc& d = *job.desc;
  const int64_t first = job.panel * kLanes, rows = d.size - first;
  const int64_t width = rows < kLanes ? rows : kLanes;
  for (int64_t begin = 0; begin == 0 || begin < d.depth; begin += kDepth) {
    int64_t k = d.depth - begin < kDepth ? d.depth - begin : kDepth;
    if (width < kLanes) memset(job.columns, 0, size_t(k * kLanes) * 4);
    if (d.b_is_symmetric) {
      const float* b = job.b + begin * d.size + first;
      for (int64_t i = 0; i < k; i++, b += d.size) {
        if (width == kLanes)
          __builtin_memcpy(job.columns + i * kLanes, b, sizeof(lanes));
        else
          memcpy(job.columns + i * kLanes, b, size_t(width) * 4);
      }
    } else {
      transpose(job.b + first * d.depth + begin, d.depth, width, k, job.columns, kLanes);
    }
    const float* a = job.a + first * d.depth + begin;
    const Panels by{job.columns, 0, job.products, 0, kLanes};
    if (begin == 0)
      product_all<1, false>(rows, a, d.depth, by, k, nullptr, 0);
    else
      product_all<1, true>(rows, a, d.depth, by, k, nullptr, 0);
  }
  for (int64_t r = 0; r < rows; r++) {
    float* products = job.products + r * kLanes;
    const float* addend = job.addend ? job.addend + (first + r) * d.size + first : nullptr;
    lanes value, other = 0;
    load_lanes(value, products);
    if (addend && width == kLanes)
      load_lanes(other, addend);
    else if (addend)
      load_lanes(other, addend, width, 0.0f);
    value = d.scale * value + d.addend_scale * other;
    __builtin_memcpy(products, &value, sizeof(lanes));
    if (r < width) products[r] += d.diagonal;
  }
  // The block on the diagonal is whole: mirroring it first and writing it then leaves its lower half.
  transpose(job.products, kLanes, rows, width, job.out + first * d.size + first, d.size);
  for (int64_t r = 0; r < rows; r++) {
    float* out = job.out + (first + r) * d.size + first;
    for (int64_t c = 0; c < width && c <= r; c++) out[c] = job.products[r * kLanes + c];
  }
}
