#pragma once
// Normalisation: over the last axis (layer, root mean square) and over groups of channels of
// channels-last images, forward and backward, and the per-sample affine steps of adaptive norms.
//
// Activations are `dtype` (ITO_F32 or ITO_BF16); statistics, weights and their gradients float32.
// All sums run in an order fixed by the shape alone, so results do not depend on the thread count.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// Rows of `n`, `rows` of them for each of `samples`: y = (x - mean) / sqrt(variance + epsilon) * w + b.
///
/// `weight` and `bias` (either may be null) hold n values, or n for each sample when `per_sample`.
/// `centred` 0 leaves the mean in: RMS norm. `mean` (null when not centred) and `rstd` receive each
/// row's statistics. The same row gives the same bits wherever it stands. Two passes over a row in
/// cache: reads x once from memory, writes y once.
void ito_row_norm(const void* x, int dtype, const float* weight, const float* bias, int per_sample, int64_t samples,
                  int64_t rows, int64_t n, float epsilon, int centred, void* out, float* mean, float* rstd);

/// Gradients of `ito_row_norm` from `g` and the saved statistics. `dweight` and `dbias` have the size
/// of the weight and are both written unless `dweight` is null. Reads x and g once, writes dx once.
void ito_row_norm_gradient(const void* x, const void* g, int dtype, const float* weight, int per_sample,
                           int64_t samples, int64_t rows, int64_t n, const float* mean, const float* rstd, void* dx,
                           float* dweight, float* dbias);

/// out[s, r, i] = residual[s, r, i] + gate[s, i] x[s, r, i], all but the gate of `dtype`.
void ito_add_gated(const void* residual, const void* x, const float* gate, int dtype, int64_t samples, int64_t rows,
                   int64_t n, void* out);

/// dx = gate g and dgate[s, i] = sum over r of g x. (The residual's gradient is g itself.)
void ito_add_gated_gradient(const void* x, const float* gate, const void* g, int dtype, int64_t samples, int64_t rows,
                            int64_t n, void* dx, float* dgate);

/// One of several tensors [batch, pixels, channels] whose channels lie side by side.
typedef struct {
  const void* data;
  int64_t channels;
} ito_channels;

/// Group norm of x [batch, pixels, channels] + offset [batch, channels]: each group of neighbouring
/// channels of each sample is normalised over its pixels, then y = (x - mean) / sqrt(variance +
/// epsilon) * weight + bias, then SiLU when `silu`.
///
/// x is the concatenation of `parts` tensors along the channels, which is not made; the bits are those of the norm of
/// one tensor. `offset` may be null: none. `weight`, `bias`: one value a channel, one a sample and channel when
/// `per_sample`, or null. `mean` and `rstd` receive [batch, groups]. Reads x from memory twice (once
/// when a sample has at most 32768 elements), writes y once. `out` may be the data of the only part.
void ito_group_norm(const ito_channels* x, int64_t parts, int dtype, const float* offset, const float* weight,
                    const float* bias, int per_sample, int64_t batch, int64_t pixels, int64_t groups, float epsilon,
                    int silu, void* out, float* mean, float* rstd);

/// Mean and variance of each group of neighbouring channels of x [batch, pixels, channels], [batch, groups] each. Reads x
/// once.
void ito_group_moments(const void* x, int dtype, int64_t batch, int64_t pixels, int64_t channels, int64_t groups,
                       float* mean, float* variance);

/// `ito_group_norm` of one tensor, by moments that are known: of more than x, as when x is part of a map. Reads x once.
void ito_group_norm_by_moments(const void* x, int dtype, const float* weight, const float* bias, int64_t batch,
                               int64_t pixels, int64_t channels, int64_t groups, const float* mean,
                               const float* variance, float epsilon, int silu, void* out);

/// Gradients of `ito_group_norm` from `g` and the saved statistics; `dweight` and `dbias` have the size
/// of the weight. The offset's gradient is the sum of dx over pixels. Reads x and g twice, writes dx once.
void ito_group_norm_gradient(const void* x, const void* g, int dtype, const float* offset, const float* weight,
                             const float* bias, int per_sample, int64_t batch, int64_t pixels, int64_t channels,
                             int64_t groups, int silu, const float* mean, const float* rstd, void* dx,
                             float* dweight, float* dbias);

#ifdef __cplusplus
}
#endif
