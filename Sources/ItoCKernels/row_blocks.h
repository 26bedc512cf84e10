// How kernels over the rows of samples share them out, and what they need beside.
#pragma once
#include <cstdint>
#include <cstring>

#include "include/ito_runtime.h"

namespace {

constexpr int64_t kGrain = 32768;  // elements worth a thread

inline int64_t element_size(int dtype) { return dtype == ITO_BF16 ? 2 : 4; }

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
inline void add_blocks(const float* sums, const Blocks& blocks, int64_t stride, float* out) {
  for (int64_t s = 0; s < blocks.samples; s++) {
    float* target = out + s * blocks.n;
    memset(target, 0, size_t(blocks.n) * 4);
    for (int64_t b = 0; b < blocks.per_sample; b++) {
      const float* source = sums + (s * blocks.per_sample + b) * stride;
      for (int64_t i = 0; i < blocks.n; i++) target[i] += source[i];
    }
  }
}

}  // namespace
