#include "scalar_types.h"

template <typename T>
static void add_gated_rows(const T* __restrict residual, const T* __restrict x, const float* __restrict gate,
                           int64_t rows, int64_t n, T* __restrict out) {
  for (int64_t r = 0; r < rows; r++, residual += n, x += n, out += n) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) store(out + i, load(residual + i) + gate[i] * load(x + i));
  }
}
static void add_gated_range(const void* residual, const void* x, const float* gate, int dtype, int64_t rows,
                            int64_t n, void* out) {
  if (dtype == ITO_BF16)
    add_gated_rows(static_cast<const bf16*>(residual), static_cast<const bf16*>(x), gate, rows, n,
                   static_cast<bf16*>(out));
  else
    add_gated_rows(static_cast<const float*>(residual), static_cast<const float*>(x), gate, rows, n,
                   static_cast<float*>(out));
}

template <typename T>
static void add_gated_gradient_rows(const T* __restrict x, const float* __restrict gate, const T* __restrict g,
                                    int64_t rows, int64_t n, T* __restrict dx, float* __restrict dgate) {
  for (int64_t r = 0; r < rows; r++, x += n, g += n, dx += n) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) {
      float gi = load(g + i);
      dgate[i] += gi * load(x + i);
      store(dx + i, gi * gate[i]);
    }
  }
}
static void add_gated_gradient_range(const void* x, const float* gate, const void* g, int dtype, int64_t rows,
                                     int64_t n, void* dx, float* dgate) {
  if (dtype == ITO_BF16)
    add_gated_gradient_rows(static_cast<const bf16*>(x), gate, static_cast<const bf16*>(g), rows, n,
                            static_cast<bf16*>(dx), dgate);
  else
    add_gated_gradient_rows(static_cast<const float*>(x), gate, static_cast<const float*>(g), rows, n,
                            static_cast<float*>(dx), dgate);
}
