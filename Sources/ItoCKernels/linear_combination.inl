#include "scalar_types.h"

// The accumulator of one block stays in the first-level cache while the inputs stream past it.
static const int64_t kBlock = 1024;

template <typename T>
static void scale_into(float* __restrict sum, const void* in, int64_t at, int64_t n, float c) {
  const T* x = static_cast<const T*>(in) + at;
  for (int64_t i = 0; i < n; i++) sum[i] = c * load(x + i);
}
template <typename T>
static void add_scaled(float* __restrict sum, const void* in, int64_t at, int64_t n, float c) {
  const T* x = static_cast<const T*>(in) + at;
  for (int64_t i = 0; i < n; i++) sum[i] += c * load(x + i);
}
template <typename T>
static void write_out(const float* sum, void* out, int64_t at, int64_t n) {
  T* y = static_cast<T*>(out) + at;
  for (int64_t i = 0; i < n; i++) store(y + i, sum[i]);
}

// Elements [begin, end) of one row.
static void combine_range(const CombinationJob& job, const float* coefficients, int64_t begin,
                          int64_t end) {
  float sum[kBlock];
  for (int64_t at = begin; at < end; at += kBlock) {
    int64_t n = end - at < kBlock ? end - at : kBlock;
    for (int k = 0; k < job.terms; k++) {
      const void* in = job.inputs[k];
      float c = coefficients[k];
      switch (job.dtypes[k]) {
        case ITO_F32: k == 0 ? scale_into<float>(sum, in, at, n, c) : add_scaled<float>(sum, in, at, n, c); break;
        case ITO_BF16: k == 0 ? scale_into<bf16>(sum, in, at, n, c) : add_scaled<bf16>(sum, in, at, n, c); break;
        default: k == 0 ? scale_into<f16>(sum, in, at, n, c) : add_scaled<f16>(sum, in, at, n, c); break;
      }
    }
    switch (job.out_dtype) {
      case ITO_F32: write_out<float>(sum, job.out, at, n); break;
      case ITO_BF16: write_out<bf16>(sum, job.out, at, n); break;
      default: write_out<f16>(sum, job.out, at, n); break;
    }
  }
}

// A value is not finite when all bits of its exponent are set.
static bool finite_range(const void* in, int dtype, int64_t begin, int64_t end) {
  uint32_t bad = 0;
  if (dtype == ITO_F32) {
    const uint32_t* x = static_cast<const uint32_t*>(in);
    for (int64_t i = begin; i < end; i++) bad |= (x[i] & 0x7f800000u) == 0x7f800000u;
  } else {
    const uint16_t* x = static_cast<const uint16_t*>(in);
    uint16_t mask = dtype == ITO_BF16 ? 0x7f80u : 0x7c00u;
    for (int64_t i = begin; i < end; i++) bad |= (x[i] & mask) == mask;
  }
  return bad == 0;
}
