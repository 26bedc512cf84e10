#include <cstdint>
#include <cstring>

#include "include/ito_optimizer.h"

namespace {

// Sixteen columns of one matrix, and room for one call.
struct SymmetricPanel {
  const ito_symmetric_product_desc* desc;
  const float *a, *b, *addend;
  float* out;
  int64_t panel;
  float* columns;   // [kDepth, 16]
  float* products;  // [size, 16]
};

// Depth that is multiplied at once: a panel of columns fits the first-level cache.
constexpr int64_t kDepth = 384;

}  // namespace

#define ITO_KERNELS "symmetric_product.inl"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

struct SymmetricProduct {
  const ito_symmetric_product_desc& desc;
  const float *a, *b, *addend;
  float* out;

  int64_t panels() const { return (desc.size + 15) / 16; }
  // A long panel and a short one together, so that every item is as much work.
  int64_t items() const { return (panels() + 1) / 2; }

  void run(int64_t begin, int64_t end) const {
    Floats room((kDepth + desc.size) * 16);
    for (int64_t item = begin; item < end; item++) {
      int64_t matrix = item / items(), p = item % items(), mirrored = panels() - 1 - p;
      int64_t square = matrix * desc.size * desc.size, rows = matrix * desc.size * desc.depth;
      SymmetricPanel job{&desc, a + rows, b + rows, addend ? addend + square : nullptr, out + square, p,
                         room.data, room.data + kDepth * 16};
      ITO_DISPATCH(symmetric_panel)(job);
      job.panel = mirrored;
      if (mirrored != p) ITO_DISPATCH(symmetric_panel)(job);
    }
  }
};

}  // namespace

extern "C" void ito_symmetric_product(const ito_symmetric_product_desc* desc, const float* a, const float* b,
                                      const float* addend, float* out) {
  SymmetricProduct job{*desc, a, b, addend, out};
  ito_parallel_for(
      desc->count * job.items(), 1,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<SymmetricProduct*>(ctx)->run(begin, end); }, &job);
}
