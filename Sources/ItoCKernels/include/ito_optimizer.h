#pragma once
// One pass over each parameter for the update of an optimizer, its moments and the rounded copy that
// the model computes with. Everything that is updated is float32.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// Numbers of an AdamW step. `correction1` is 1 / (1 - beta1^t), `correction2` 1 / (1 - beta2^t).
typedef struct {
  float rate, beta1, beta2, epsilon, decay, correction1, correction2, gradient_scale;
} ito_adamw;

/// g = gradient_scale * gradient; m += (1 - beta1)(g - m); v += (1 - beta2)(g^2 - v);
/// w = (1 - rate * decay) w - rate * m correction1 / (sqrt(v correction2) + epsilon).
///
/// `gradient` is F32 or BF16. `copy`, unless null, receives w rounded to `copy_dtype` (BF16 or F16).
/// Reads and writes w, m and v once.
/// Source: Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2.
void ito_adamw_step(const ito_adamw* step, const void* gradient, int gradient_dtype, float* w, float* m, float* v,
                    void* copy, int copy_dtype, int64_t count);

/// Numbers of a step of gradient descent.
typedef struct {
  float rate, momentum, decay, gradient_scale;
  int nesterov, first;  // `first`: the momentum is set to the gradient
} ito_sgd;

/// g = gradient_scale * gradient + decay * w; m = momentum * m + g (g in the first step);
/// w -= rate * (nesterov ? g + momentum * m : m). Without momentum `m` is null and w -= rate * g.
void ito_sgd_step(const ito_sgd* step, const void* gradient, int gradient_dtype, float* w, float* m, void* copy,
                  int copy_dtype, int64_t count);

/// average += (1 - decay)(value - average)
void ito_ema_update(float* average, const float* value, float decay, int64_t count);

/// sum += term, `term` F32 or BF16.
void ito_accumulate(float* sum, const void* term, int dtype, int64_t count);

/// The sum of squares of F32 or BF16 elements, in double precision and in an order that does not depend
/// on the threads.
double ito_sum_of_squares(const void* in, int dtype, int64_t count);

typedef struct {
  int64_t count, size, depth;
  int64_t b_is_symmetric;
  float scale, addend_scale, diagonal;
} ito_symmetric_product_desc;

/// out = scale · A Bᵀ + addend_scale · D + diagonal · I for each of `count` pairs of matrices whose product is
/// symmetric, float32. Half of it is computed, the other half mirrored.
///
/// `a` and `b` are [count, size, depth] and may be the same; with `b_is_symmetric`, whose depth is the size, `b` is
/// read by its columns, which is quicker. `addend` is [count, size, size], symmetric, or
/// null; `out` is [count, size, size] and none of the others. Sums are in the order of the depth.
void ito_symmetric_product(const ito_symmetric_product_desc* desc, const float* a, const float* b,
                           const float* addend, float* out);
#ifdef __cplusplus
}
#endif
