#pragma once
// Products of a matrix by the transpose of a kept one, with seven multiplications of blocks where eight are due.
//
// Strassen 1969, "Gaussian elimination is not optimal", Numerische Mathematik 13, one step of it. The sums of blocks are
// formed while they are packed, as in Huang, Smith, Henry & van de Geijn 2016, "Strassen's algorithm reloaded", SC16. Rows
// and columns are scaled as in Ballard, Benson, Druinsky, Lipshitz & Schwartz 2016, "Improving the numerical stability of
// fast matrix multiplication", SIMAX 37(4), section 6 ("outside scaling").
#include "ito_product.h"
#ifdef __cplusplus
extern "C" {
#endif

/// Whether it is the quicker way to multiply by a `b` that is kept: `b` is transposed, `n` divides by 64 and `k` by 32 words,
/// and the matrices are large enough; where pairs of bfloat16 would be multiplied, larger and one side twice the other. Of `m`
/// rows each `sample_rows` are of one sample, which must be of whole pairs: a batch is multiplied as its samples are. Never
/// where it is not allowed, or with the portable instruction set.
int ito_strassen_pays(const ito_product_desc* desc, int64_t sample_rows);
/// Whether it is allowed: 1, or what ITO_STRASSEN says.
int ito_strassen_allowed(void);
/// Allows it (1) or not (0) from here on.
void ito_set_strassen(int allowed);

/// Bytes of b packed: those of b itself, or of bfloat16 where pairs of them are multiplied, columns rounded up to a
/// multiple of 64, and a float for each.
size_t ito_strassen_packed_bytes(const ito_product_desc* desc);
/// The depth of the parts b is packed in: with `n`, `k` and `b_dtype` it tells one packed form from another.
int64_t ito_strassen_depth(const ito_product_desc* desc);
/// Packs b, of which `desc` says the type and the stride.
void ito_strassen_pack(const ito_product_desc* desc, const void* b, void* packed);

/// out[m, n] = activation(A Bᵀ + bias + residual), as `ito_product`; `k` as above, any `m` and `n`, `packed` of the same
/// `n`, `k` and `b_dtype`. Where pairs of bfloat16 are multiplied, sums of two numbers are rounded to it; else all sums are
/// in float32.
///
/// Rows 2i and 2i + 1 share their products, as do columns 32 apart, each scaled by a power of two to one mean size: an error
/// is one of the rows' and columns' sizes, not of the single result. Its norm, for independent numbers of one size, is below
/// 4·2⁻⁹ of the result's in pairs, √k·2⁻²⁵ in float32. Nothing depends on the threads, nor a row on others than its neighbour,
/// which a number that is not finite spoils too. Scratch, for each thread: 6 MB of packed rows, or twelve pairs of them where
/// those are longer, and 1 MB.
void ito_strassen(const ito_product_desc* desc, const void* a, const void* packed, const ito_product_epilogue* epilogue,
                  void* out);
#ifdef __cplusplus
}
#endif
