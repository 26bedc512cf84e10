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
  int64_t b_dtype;  ///< ITO_F32, ITO_BF16 or ITO_F16
} ito_product_desc;

/// What follows the sums: out = activation(A B + bias + residual).
typedef struct {
  const float* bias;      ///< [n], or null
  const float* residual;  ///< [m, n], or null; not out itself
  int64_t activation;     ///< SiLU, a GELU, ReLU or Mish of ito_unary.h, or ITO_UNARY_NONE
} ito_product_epilogue;

/// Number of floats in b's packed form, which depends on n and k alone.
int64_t ito_product_packed_count(const ito_product_desc* desc);
/// Packs b into panels of sixteen columns, [panel][k][16].
void ito_product_pack(const ito_product_desc* desc, const void* b, float* packed);

/// out[m, n] = activation(A B + bias + residual) in float32, sums in the order of the depth. `a` is [m, k] or, transposed,
/// [k, m]; `b` is [k, n] or [n, k], widened as it is read; `packed` is what `ito_product_pack` made of it, or null: packed
/// for this call, at most 4 MB a thread at once (or one panel). `k` is at least 1. A row's result depends neither on
/// the others nor on the threads, nor on whether b was packed. Both operands are copied into blocks, so rows that lie a
/// power of two apart, which fall into the same sets of the caches, cost nothing more.
void ito_product(const ito_product_desc* desc, const float* a, const void* b, const float* packed,
                 const ito_product_epilogue* epilogue, float* out);
#ifdef __cplusplus
}
#endif
