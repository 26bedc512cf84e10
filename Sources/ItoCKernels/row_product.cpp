#include <cstdint>
#include <cstring>

#include "include/ito_row_product.h"
#include "include/ito_unary.h"

namespace {

struct RowProduct {
  const ito_row_product_desc* desc;
  const float* x;
  const void* w;
  float* out;
};

// Rows whose sums of sixteen columns are held at a time.
constexpr int64_t kRowsAtOnce = 64;

}  // namespace

#define ITO_KERNELS "row_product.inl"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

constexpr int64_t kPanel = 16;

// Multiplications from which waking another thread pays.
constexpr int64_t kWorthThreads = 1 << 20;

void multiply_panels(void* context, int64_t begin, int64_t end) {
  const RowProduct& job = *static_cast<const RowProduct*>(context);
  Floats wide(job.desc->w_dtype == ITO_F32 ? 0 : kPanel * job.desc->k);
  ITO_DISPATCH(row_product_range)(job, begin, end, wide.data);
}

}  // namespace

extern "C" void ito_row_product(const ito_row_product_desc* desc, const float* x, const void* w, float* out) {
  RowProduct job{desc, x, w, out};
  ito_parallel_for((desc->n + kPanel - 1) / kPanel, 1 + kWorthThreads / (desc->m * desc->k * kPanel), multiply_panels, &job);
}
