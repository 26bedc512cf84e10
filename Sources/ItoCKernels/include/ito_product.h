#pragma once
// Matrix products, summed in float32, by panels of sixteen columns, with what follows done while a tile of sums is in cache.
//
// Blocks after Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3).
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  int64_t m, n, k;
  int64_t a_transposed, b_transposed;
  int64_t dtype;      ///< of a: ITO_F32 or ITO_BF16
  int64_t out_dtype;  ///< of residual and result: ITO_F32 or ITO_BF16
  int64_t b_dtype;    ///< ITO_F32, ITO_BF16 or ITO_F16
  int64_t b_stride;   ///< elements from a stored row of b to the next: n, or k transposed, unless b is part of a wider one
  int64_t b_packed;   ///< b is what `ito_product_pack` made of it
} ito_product_desc;

/// What follows the sums: out = activation(A B + bias + residual).
typedef struct {
  const float* bias;     ///< [n], or null
  const void* residual;  ///< [m, n] of the result's type, or null; may be out itself
  int64_t activation;    ///< SiLU, a GELU, ReLU or Mish of ito_unary.h, or ITO_UNARY_NONE
} ito_product_epilogue;

/// out[m, n] = activation(A B + bias + residual), sums in float32 in the order of the depth and rounded once. `a` is
/// [m, k] or, transposed, [k, m]; `b` is [k, n] or [n, k], widened as it is read; `k` is at least 1. Rows, and columns that
/// are not packed, are copied into blocks for the call (of b at most 4 MB a thread at once, or two panels), so rows that lie
/// a power of two apart, which fall into the same sets of the caches, cost nothing more. A row's result depends neither on
/// the others nor on the threads, nor on whether b was packed.
void ito_product(const ito_product_desc* desc, const void* a, const void* b, const ito_product_epilogue* epilogue,
                 void* out);

/// Bytes of b packed: those of b itself, columns rounded up to a multiple of 16.
size_t ito_product_packed_bytes(const ito_product_desc* desc);
/// Packs b as its description says it lies: by parts of the depth, [panel of 16 columns, depth, 16] of its own type.
void ito_product_pack(const ito_product_desc* desc, const void* b, void* packed);
#ifdef __cplusplus
}
#endif
