#pragma once
// oneDNN called directly, the upper bound Itô's products and convolutions are held against: layouts
// the library likes best, weights packed beforehand, nothing but the primitive inside the clock.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct direct_case direct_case;

/// Variants of a product: the caller's matrices, the library's own layout for them, and the same two
/// through the inner-product primitive. Of a convolution: NHWC, and the library's own layout.
int direct_gemm_variants(void);
int direct_conv_variants(void);
const char* direct_gemm_variant(int variant);
const char* direct_conv_variant(int variant);

/// `[m, k]` by `[k, n]`. Null where the library has no implementation.
direct_case* direct_gemm(int64_t m, int64_t n, int64_t k, int is_bf16, int variant);
/// `kernel` by `kernel` convolution of `[batch, height, width, channels]`, padded by `kernel / 2`.
direct_case* direct_conv(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t out_channels,
                         int64_t kernel, int64_t stride, int is_bf16, int variant);
/// Runs the primitive once and waits.
void direct_run(direct_case* subject);
void direct_destroy(direct_case* subject);

/// Threads for the calling thread's later calls.
void direct_set_threads(int count);

/// Seconds of one copy of `bytes` bytes by all threads, the best of `repeats`.
double direct_copy(int64_t bytes, int repeats);

#ifdef __cplusplus
}
#endif
