#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  int64_t m, n, k;
  int64_t a_transposed, b_transposed;
  int64_t b_dtype;  ///< ITO_F32, ITO_BF16 or ITO_F16
} ito_product_desc;

/// out[m, n] = A B + bias in float32, sums in the order of the depth. `a` is [m, k] or, transposed, [k, m]; `b` is
/// [k, n] or [n, k], widened as it is read; `bias` is [n] or null; `k` is at least 1. Both are copied into panels, so
/// rows that lie a power of two apart, which fall into the same sets of the caches, cost nothing more.
void ito_product(const ito_product_desc* desc, const float* a, const void* b, const float* bias, float* out);
#ifdef __cplusplus
}
#endif
