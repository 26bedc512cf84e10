#include <atomic>
#include <cstdint>

#include "include/ito_linear_combination.h"

namespace {
struct CombinationJob {
  int terms;
  const void* const* inputs;
  const int32_t* dtypes;
  const float* coefficients;
  int64_t length;
  void* out;
  int out_dtype;
};
struct FiniteJob {
  const void* in;
  int dtype;
  std::atomic<int> finite;
};
}  // namespace

#define ITO_KERNELS "linear_combination.inl"
#include "multiversion.h"

extern "C" void ito_linear_combination(int terms, const void* const* inputs, const int32_t* dtypes,
                                       const float* coefficients, int64_t rows, int64_t length,
                                       void* out, int out_dtype) {
  CombinationJob job{terms, inputs, dtypes, coefficients, length, out, out_dtype};
  ito_parallel_for(
      rows * length, 32768,
      [](void* ctx, int64_t begin, int64_t end) {
        const CombinationJob& j = *static_cast<CombinationJob*>(ctx);
        while (begin < end) {
          int64_t row = begin / j.length, row_end = (row + 1) * j.length;
          int64_t stop = row_end < end ? row_end : end;
          ITO_DISPATCH(combine_range)(j, j.coefficients + row * j.terms, begin, stop);
          begin = stop;
        }
      },
      &job);
}

extern "C" int ito_all_finite(const void* in, int dtype, int64_t count) {
  FiniteJob job{in, dtype, {1}};
  ito_parallel_for(
      count, 65536,
      [](void* ctx, int64_t begin, int64_t end) {
        FiniteJob& j = *static_cast<FiniteJob*>(ctx);
        if (!ITO_DISPATCH(finite_range)(j.in, j.dtype, begin, end)) j.finite.store(0, std::memory_order_relaxed);
      },
      &job);
  return job.finite.load();
}
