#include <cstdint>

#define ITO_KERNELS "unary.inl"
#define ITO_KERNELS_ROUND_BF16
#include "include/ito_unary.h"
#include "multiversion.h"

namespace {
// Elements worth a thread: some tens of microseconds of exponentials.
constexpr int64_t kGrain = 32768;

int64_t element_size(int dtype) { return dtype == ITO_BF16 ? 2 : 4; }

struct Unary {
  int op, dtype;
  const char *x, *g;
  char* out;
  float a, b;
};
struct Gated {
  int op, dtype, gate_first;
  const char *x, *g;
  char* out;
  int64_t n;
};
int64_t row_grain(int64_t n) { return 1 + kGrain / (n > 0 ? n : 1); }
}  // namespace

extern "C" {

void ito_unary(int op, const void* x, void* out, int dtype, int64_t count, float a, float b) {
  Unary job{op, dtype, static_cast<const char*>(x), nullptr, static_cast<char*>(out), a, b};
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        const Unary& j = *static_cast<Unary*>(ctx);
        int64_t at = begin * element_size(j.dtype);
        ITO_DISPATCH(unary_range)(j.op, j.x + at, j.out + at, j.dtype, end - begin, j.a, j.b);
      },
      &job);
}

void ito_unary_gradient(int op, const void* saved, const void* g, void* out, int dtype, int64_t count, float a,
                        float b) {
  Unary job{op, dtype, static_cast<const char*>(saved), static_cast<const char*>(g), static_cast<char*>(out), a, b};
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        const Unary& j = *static_cast<Unary*>(ctx);
        int64_t at = begin * element_size(j.dtype);
        ITO_DISPATCH(unary_gradient_range)
        (j.op, j.x + at, j.g + at, j.out + at, j.dtype, end - begin, j.a, j.b);
      },
      &job);
}

void ito_gated(int op, const void* x, void* out, int dtype, int64_t rows, int64_t n, int gate_first) {
  Gated job{op, dtype, gate_first, static_cast<const char*>(x), nullptr, static_cast<char*>(out), n};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const Gated& j = *static_cast<Gated*>(ctx);
        int64_t at = begin * j.n * element_size(j.dtype);
        ITO_DISPATCH(gated_range)(j.op, j.x + 2 * at, j.out + at, j.dtype, end - begin, j.n, j.gate_first);
      },
      &job);
}

void ito_gated_gradient(int op, const void* x, const void* g, void* dx, int dtype, int64_t rows, int64_t n,
                        int gate_first) {
  Gated job{op, dtype, gate_first, static_cast<const char*>(x), static_cast<const char*>(g), static_cast<char*>(dx),
            n};
  ito_parallel_for(
      rows, row_grain(n),
      [](void* ctx, int64_t begin, int64_t end) {
        const Gated& j = *static_cast<Gated*>(ctx);
        int64_t at = begin * j.n * element_size(j.dtype);
        ITO_DISPATCH(gated_gradient_range)
        (j.op, j.x + 2 * at, j.g + at, j.out + 2 * at, j.dtype, end - begin, j.n, j.gate_first);
      },
      &job);
}

}  // extern "C"
