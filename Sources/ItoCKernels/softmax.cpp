#include <cstdint>

#define ITO_KERNELS "softmax.inl"
#define ITO_KERNELS_ROUND_BF16
#include "include/ito_softmax.h"
#include "multiversion.h"

namespace {

constexpr int64_t kGrain = 16384;  // elements worth a thread

int64_t row_grain(int64_t n) { return 1 + kGrain / (n > 0 ? n : 1); }

struct Softmax {
  const char *x, *g;
  int dtype;
  int64_t n;
  bool logarithm;
  char* out;
  int64_t at(int64_t row) const { return row * n * (dtype == ITO_BF16 ? 2 : 4); }
};

struct CrossEntropy {
  Softmax of;
  const int32_t* labels;
  float smoothing;
  const float* g;
  float *loss, *log_sum;
};

}  // namespace

extern "C" {

void ito_softmax(const void* x, int dtype, int64_t rows, int64_t n, int logarithm, void* out) {
  Softmax job{static_cast<const char*>(x), nullptr, dtype, n, logarithm != 0, static_cast<char*>(out)};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const Softmax& j = *static_cast<Softmax*>(ctx);
        ITO_DISPATCH(softmax_range)
        (j.x + j.at(begin), j.dtype, end - begin, j.n, j.logarithm, j.out + j.at(begin));
      },
      &job);
}

void ito_softmax_gradient(const void* y, const void* g, int dtype, int64_t rows, int64_t n, int logarithm,
                          void* dx) {
  Softmax job{static_cast<const char*>(y), static_cast<const char*>(g), dtype, n, logarithm != 0,
              static_cast<char*>(dx)};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const Softmax& j = *static_cast<Softmax*>(ctx);
        int64_t at = j.at(begin);
        ITO_DISPATCH(softmax_gradient_range)
        (j.x + at, j.g + at, j.dtype, end - begin, j.n, j.logarithm, j.out + at);
      },
      &job);
}

void ito_cross_entropy(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n, float smoothing,
                       float* loss, float* log_sum) {
  CrossEntropy job{
      {static_cast<const char*>(x), nullptr, dtype, n, false, nullptr}, labels, smoothing, nullptr, loss, log_sum};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const CrossEntropy& j = *static_cast<CrossEntropy*>(ctx);
        ITO_DISPATCH(cross_entropy_range)
        (j.of.x + j.of.at(begin), j.of.dtype, j.labels + begin, end - begin, j.of.n, j.smoothing, j.loss + begin,
         j.log_sum + begin);
      },
      &job);
}

void ito_cross_entropy_gradient(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n,
                                float smoothing, const float* log_sum, const float* g, void* dx) {
  CrossEntropy job{{static_cast<const char*>(x), nullptr, dtype, n, false, static_cast<char*>(dx)},
                   labels,
                   smoothing,
                   g,
                   nullptr,
                   const_cast<float*>(log_sum)};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const CrossEntropy& j = *static_cast<CrossEntropy*>(ctx);
        ITO_DISPATCH(cross_entropy_gradient_range)
        (j.of.x + j.of.at(begin), j.of.dtype, j.labels + begin, end - begin, j.of.n, j.smoothing, j.log_sum + begin,
         j.g + begin, j.of.out + j.of.at(begin));
      },
      &job);
}

}  // extern "C"
