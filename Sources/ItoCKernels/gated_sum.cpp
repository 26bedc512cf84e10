#include <cstdint>

#define ITO_KERNELS "gated_sum.inl"
#define ITO_KERNELS_ROUND_BF16
#include "include/ito_norm.h"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

struct AddGated {
  const char *residual, *x, *g;
  const float* gate;
  int dtype;
  char* out;
  Blocks blocks;
  float* sums;  // [block, n]
};

}  // namespace

extern "C" {

void ito_add_gated(const void* residual, const void* x, const float* gate, int dtype, int64_t samples, int64_t rows,
                   int64_t n, void* out) {
  AddGated job{static_cast<const char*>(residual), static_cast<const char*>(x), nullptr, gate, dtype,
               static_cast<char*>(out), Blocks(samples, rows, n), nullptr};
  ito_parallel_for(
      job.blocks.count(), job.blocks.grain(),
      [](void* ctx, int64_t begin, int64_t end) {
        const AddGated& j = *static_cast<AddGated*>(ctx);
        int64_t n = j.blocks.n;
        for (int64_t block = begin; block < end; block++) {
          int64_t first = j.blocks.first(block), at = first * n * element_size(j.dtype);
          ITO_DISPATCH(add_gated_range)
          (j.residual + at, j.x + at, j.gate + j.blocks.sample(block) * n, j.dtype, j.blocks.last(block) - first, n,
           j.out + at);
        }
      },
      &job);
}

void ito_add_gated_gradient(const void* x, const float* gate, const void* g, int dtype, int64_t samples, int64_t rows,
                            int64_t n, void* dx, float* dgate) {
  Blocks blocks(samples, rows, n);
  Floats sums(blocks.count() * n);
  AddGated job{nullptr, static_cast<const char*>(x), static_cast<const char*>(g), gate, dtype,
               static_cast<char*>(dx), blocks, sums.data};
  ito_parallel_for(
      blocks.count(), blocks.grain(),
      [](void* ctx, int64_t begin, int64_t end) {
        const AddGated& j = *static_cast<AddGated*>(ctx);
        int64_t n = j.blocks.n;
        for (int64_t block = begin; block < end; block++) {
          int64_t first = j.blocks.first(block), at = first * n * element_size(j.dtype);
          memset(j.sums + block * n, 0, size_t(n) * 4);
          ITO_DISPATCH(add_gated_gradient_range)
          (j.x + at, j.gate + j.blocks.sample(block) * n, j.g + at, j.dtype, j.blocks.last(block) - first, n,
           j.out + at, j.sums + block * n);
        }
      },
      &job);
  add_blocks(sums.data, blocks, n, dgate);
}

}  // extern "C"
