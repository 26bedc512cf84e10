#pragma once
// Softmax and cross entropy of rows, forward and backward.
//
// Rows are contiguous, of `dtype` (ITO_F32 or ITO_BF16); sums are float32 in an order fixed by the
// length of a row alone, so the same row gives the same bits wherever it stands.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// out[r, i] = exp(x[r, i] - m) / sum over i of exp(x[r, i] - m), m the row's largest; with
/// `logarithm` its logarithm. A row whose largest is not finite gives NaN.
void ito_softmax(const void* x, int dtype, int64_t rows, int64_t n, int logarithm, void* out);

/// dx of `ito_softmax` from its result `y` and the upstream gradient `g`:
/// y (g - sum(g y)), and g - exp(y) sum(g) for the logarithm.
void ito_softmax_gradient(const void* y, const void* g, int dtype, int64_t rows, int64_t n, int logarithm,
                          void* dx);

/// loss[r] = log sum exp(x[r]) - (1 - smoothing) x[r, label[r]] - smoothing mean(x[r]): the cross
/// entropy against the label, a share `smoothing` of the target spread over all n classes. `log_sum`
/// receives log sum exp(x[r]). Labels must be in 0 ..< n.
void ito_cross_entropy(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n, float smoothing,
                       float* loss, float* log_sum);

/// dx[r, i] = g[r] (exp(x[r, i] - log_sum[r]) - target[r, i]).
void ito_cross_entropy_gradient(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n,
                                float smoothing, const float* log_sum, const float* g, void* dx);

#ifdef __cplusplus
}
#endif
