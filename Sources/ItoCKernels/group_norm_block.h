// What group norm's kernels are told of their work.
#pragma once

#include <cstdint>

#include "include/ito_norm.h"

namespace {

// Channel vectors of one sample. `centre` is the mean less what is added to x; `scale` is the weight
// backward, and the weight times the deviation's reciprocal forward.
struct GroupVectors {
  float *centre, *rstd, *scale, *bias, *a, *b;
};

enum class GroupPass { sums, squares, write, gradient_sums, gradient_write };

// One block of pixels of one sample, whose first is the `first` of all.
struct GroupBlock {
  const ito_channels* x;
  int64_t parts;
  const void* g;
  void* out;
  int64_t first, pixels, channels;
  GroupVectors vectors;
  float* sums;  // two channel vectors
  bool silu;
};

}  // namespace
