#pragma once
// Products of few rows by a matrix in float32, in which no row's bits depend on the other rows.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  int64_t m, n, k;
  int64_t w_dtype;        ///< ITO_F32, ITO_BF16 or ITO_F16
  const float* bias;      ///< [n], or null
  const float* residual;  ///< [m, n], or null
  int64_t activation;     ///< SiLU, a GELU, ReLU or Mish of ito_unary.h, or ITO_UNARY_NONE
} ito_row_product_desc;

/// out[m, n] = activation(x Wᵀ + bias + residual) of x [m, k] and w [n, k], `k` at least 1. Every sum is of sixteen parts, of
/// which each takes every sixteenth of the depth in order, whatever the rows, the columns and the threads. `w` is read
/// once, where it lies; in half precision it is widened as it is read.
void ito_row_product(const ito_row_product_desc* desc, const float* x, const void* w, float* out);
#ifdef __cplusplus
}
#endif
