#pragma once
// Matrix products in float32 by panels of sixteen columns, with what follows done while a tile of sums is in cache.
//
// Blocks after Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3).
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  int64_t m, n, k;
  int64_t a_transposed, b_transposed;
  int64_t b_dtype;   ///< ITO_F32, ITO_BF16 or ITO_F16
  int64_t b_stride;  ///< elements from a stored row of b to the next: n, or k transposed, unless b is part of a wider one
} ito_product_desc;

/// What follows the sums: out = activation(A B + bias + residual).
typedef struct {
  const float* bias;      ///< [n], or null
  const float* residual;  ///< [m, n], or null; not out itself
  int64_t activation;     ///< SiLU, a GELU, ReLU or Mish of ito_unary.h, or ITO_UNARY_NONE
} ito_product_epilogue;

/// out[m, n] = activation(A B + bias + residual) in float32, sums in the order of the depth. `a` is [m, k] or, transposed,
/// [k, m]; `b` is [k, n] or [n, k], widened as it is read; `k` is at least 1. Both operands are copied into blocks for
/// the call (of b at most 4 MB a thread at once, or one panel), so rows that lie a power of two apart, which fall into the
/// same sets of the caches, cost nothing more. A row's result depends neither on the others nor on the threads.
void ito_product(const ito_product_desc* desc, const float* a, const void* b, const ito_product_epilogue* epilogue,
                 float* out);
#ifdef __cplusplus
}
#endif
