#include <cstdint>
#include <cstring>

#define ITO_KERNELS "row_norm.inl"
#define ITO_KERNELS_ROUND_BF16
#include "include/ito_norm.h"
#include "multiversion.h"

namespace {

constexpr int64_t kGrain = 32768;  // elements worth a thread

int64_t element_size(int dtype) { return dtype == ITO_BF16 ? 2 : 4; }

// Rows of each sample, cut into blocks whose number depends on the shape alone: sums over rows are
// taken per block and then over the blocks in order.
struct Blocks {
  int64_t samples, rows, n, per_sample;

  Blocks(int64_t samples, int64_t rows, int64_t n) : samples(samples), rows(rows), n(n) {
    int64_t least = 16384 / (n > 0 ? n : 1);  // rows that keep a block's own sums cheap
    int64_t fitting = rows / (least < 8 ? 8 : least), wanted = 64 / (samples > 0 ? samples : 1);
    per_sample = fitting < wanted ? fitting : wanted;
    if (per_sample < 1) per_sample = 1;
  }
  int64_t count() const { return samples * per_sample; }
  int64_t sample(int64_t block) const { return block / per_sample; }
  // First row of a block among all rows; that of block + 1 of the same sample ends it.
  int64_t first(int64_t block) const { return sample(block) * rows + rows * (block % per_sample) / per_sample; }
  int64_t last(int64_t block) const { return sample(block) * rows + rows * (block % per_sample + 1) / per_sample; }
  int64_t grain() const {
    int64_t elements = rows * n / per_sample;
    return 1 + kGrain / (elements > 0 ? elements : 1);
  }
};

// Scratch from the caching allocator.
struct Floats {
  size_t bytes;
  float* data;
  explicit Floats(int64_t count) : bytes(size_t(count) * 4 + 64), data(static_cast<float*>(ito_alloc(bytes))) {}
  ~Floats() { ito_free(data, bytes); }
  Floats(const Floats&) = delete;
};

// out[s, i] = sum over the sample's blocks of sums[block, i], where a block's sums are `stride` apart.
void add_blocks(const float* sums, const Blocks& blocks, int64_t stride, float* out) {
  for (int64_t s = 0; s < blocks.samples; s++) {
    float* target = out + s * blocks.n;
    memset(target, 0, size_t(blocks.n) * 4);
    for (int64_t b = 0; b < blocks.per_sample; b++) {
      const float* source = sums + (s * blocks.per_sample + b) * stride;
      for (int64_t i = 0; i < blocks.n; i++) target[i] += source[i];
    }
  }
}

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
