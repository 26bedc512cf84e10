#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// out[r, i] = Σₖ coefficients[r, k] · inputs[k][r, i], accumulated in float32 in the order of k.
///
/// `inputs` holds `terms` tensors of rows × length elements, of type `dtypes[k]` (ITO_F32, ITO_BF16
/// or ITO_F16); `coefficients` is [rows, terms]. Each input is read once and `out` written once; `out`
/// may be one of the inputs of its own type.
void ito_linear_combination(int terms, const void* const* inputs, const int32_t* dtypes,
                            const float* coefficients, int64_t rows, int64_t length, void* out,
                            int out_dtype);

/// 1 when each of `count` elements of type `dtype` (ITO_F32, ITO_BF16 or ITO_F16) is finite.
int ito_all_finite(const void* in, int dtype, int64_t count);
#ifdef __cplusplus
}
#endif
