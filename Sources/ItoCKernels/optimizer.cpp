#include "include/ito_optimizer.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "include/ito_runtime.h"

namespace {
struct Update {
  const ito_adamw* adamw;
  const ito_sgd* sgd;
  const void* gradient;
  int gradient_dtype;
  float *w, *m, *v;
  void* copy;
  int copy_dtype;
};
}  // namespace

#define ITO_KERNELS "optimizer.inl"
#include "multiversion.h"

namespace {
const int64_t kGrain = 16384;

void run(Update& update, int64_t count) {
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        ITO_DISPATCH(update_range)(*static_cast<Update*>(ctx), begin, end);
      },
      &update);
}

struct Pair {
  float* out;
  const void* in;
  int dtype;
  float share;
};

const int64_t kBlock = 1 << 16;
const int64_t kBlocksAtOnce = 256;
struct Squares {
  const void* in;
  int dtype;
  int64_t count, first;
  double* sums;
};
}  // namespace

extern "C" {

void ito_adamw_step(const ito_adamw* step, const void* gradient, int gradient_dtype, float* w, float* m, float* v,
                    void* copy, int copy_dtype, int64_t count) {
  Update update{step, nullptr, gradient, gradient_dtype, w, m, v, copy, copy_dtype};
  run(update, count);
}

void ito_sgd_step(const ito_sgd* step, const void* gradient, int gradient_dtype, float* w, float* m, void* copy,
                  int copy_dtype, int64_t count) {
  Update update{nullptr, step, gradient, gradient_dtype, w, m, nullptr, copy, copy_dtype};
  run(update, count);
}

void ito_ema_update(float* average, const float* value, float decay, int64_t count) {
  Pair pair{average, value, ITO_F32, 1.0f - decay};
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        Pair& p = *static_cast<Pair*>(ctx);
        ITO_DISPATCH(ema_range)(p.out + begin, static_cast<const float*>(p.in) + begin, p.share, end - begin);
      },
      &pair);
}

void ito_accumulate(float* sum, const void* term, int dtype, int64_t count) {
  Pair pair{sum, term, dtype, 1.0f};
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        Pair& p = *static_cast<Pair*>(ctx);
        ITO_DISPATCH(accumulate_range)(p.out, p.in, p.dtype, begin, end);
      },
      &pair);
}

double ito_sum_of_squares(const void* in, int dtype, int64_t count) {
  double sums[kBlocksAtOnce];
  double total = 0;
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  for (int64_t first = 0; first < blocks; first += kBlocksAtOnce) {
    const int64_t batch = blocks - first < kBlocksAtOnce ? blocks - first : kBlocksAtOnce;
    Squares job{in, dtype, count, first, sums};
    ito_parallel_for(
        batch, 1,
        [](void* ctx, int64_t begin, int64_t end) {
          Squares& j = *static_cast<Squares*>(ctx);
          for (int64_t b = begin; b < end; b++) {
            const int64_t at = (j.first + b) * kBlock;
            const int64_t to = at + kBlock < j.count ? at + kBlock : j.count;
            j.sums[b] = ITO_DISPATCH(squares_block)(j.in, j.dtype, at, to);
          }
        },
        &job);
    for (int64_t b = 0; b < batch; b++) total += sums[b];
  }
  return total;
}

}  // extern "C"
