#include <cstdint>

#define ITO_KERNELS "row_norm.inl"
#define ITO_KERNELS_ROUND_BF16
#include "include/ito_norm.h"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

struct RowNorm {
  const char *x, *g;
  int dtype;
  const float *weight, *bias;
  int64_t weight_stride;  // between samples
  int64_t rows, n;
  float epsilon;
  bool centred;
  char* out;
  float *mean, *rstd;
};

struct RowNormGradient {
  RowNorm norm;
  Blocks blocks;
  float* sums;  // [block, 2, n], or null
};

}  // namespace

extern "C" {

void ito_row_norm(const void* x, int dtype, const float* weight, const float* bias, int per_sample, int64_t samples,
                  int64_t rows, int64_t n, float epsilon, int centred, void* out, float* mean, float* rstd) {
  RowNorm job{static_cast<const char*>(x), nullptr, dtype, weight, bias, per_sample ? n : 0, rows, n,
              epsilon, centred != 0, static_cast<char*>(out), mean, rstd};
  ito_parallel_for(
      samples * rows, 1 + kGrain / (n > 0 ? n : 1),
      [](void* ctx, int64_t begin, int64_t end) {
        const RowNorm& j = *static_cast<RowNorm*>(ctx);
        while (begin < end) {
          int64_t sample = begin / j.rows, stop = (sample + 1) * j.rows;
          if (stop > end || j.weight_stride == 0) stop = end;
          int64_t at = begin * j.n * element_size(j.dtype), shift = sample * j.weight_stride;
          ITO_DISPATCH(row_norm_range)
          (j.x + at, j.dtype, j.weight ? j.weight + shift : nullptr, j.bias ? j.bias + shift : nullptr, stop - begin,
           j.n, j.epsilon, j.centred, j.out + at, j.mean ? j.mean + begin : nullptr, j.rstd + begin);
          begin = stop;
        }
      },
      &job);
}

void ito_row_norm_gradient(const void* x, const void* g, int dtype, const float* weight, int per_sample,
                           int64_t samples, int64_t rows, int64_t n, const float* mean, const float* rstd, void* dx,
                           float* dweight, float* dbias) {
  // One weight for all samples is one sample of all rows.
  Blocks blocks = per_sample ? Blocks(samples, rows, n) : Blocks(1, samples * rows, n);
  Floats ones(weight ? 0 : n);
  if (!weight)
    for (int64_t i = 0; i < n; i++) ones.data[i] = 1;
  Floats sums(dweight ? blocks.count() * 2 * n : 0);
  RowNormGradient job{{static_cast<const char*>(x), static_cast<const char*>(g), dtype,
                       weight ? weight : ones.data, nullptr, weight && per_sample ? n : 0, rows, n, 0, mean != nullptr,
                       static_cast<char*>(dx), const_cast<float*>(mean), const_cast<float*>(rstd)},
                      blocks,
                      dweight ? sums.data : nullptr};
  ito_parallel_for(
      blocks.count(), blocks.grain(),
      [](void* ctx, int64_t begin, int64_t end) {
        const RowNormGradient& j = *static_cast<RowNormGradient*>(ctx);
        const RowNorm& r = j.norm;
        for (int64_t block = begin; block < end; block++) {
          int64_t first = j.blocks.first(block), at = first * r.n * element_size(r.dtype);
          float* sums = j.sums ? j.sums + block * 2 * r.n : nullptr;
          if (sums) memset(sums, 0, size_t(r.n) * 8);
          ITO_DISPATCH(row_norm_gradient_range)
          (r.x + at, r.g + at, r.dtype, r.weight + j.blocks.sample(block) * r.weight_stride,
           j.blocks.last(block) - first, r.n, r.mean ? r.mean + first : nullptr, r.rstd + first, r.out + at, sums,
           sums ? sums + r.n : nullptr);
        }
      },
      &job);
  if (!dweight) return;
  add_blocks(sums.data, blocks, 2 * n, dweight);
  add_blocks(sums.data + n, blocks, 2 * n, dbias);
}

}  // extern "C"
