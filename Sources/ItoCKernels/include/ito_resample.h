#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
// Resizing and pooling of images [batch, height, width, channels].

/// A sparse matrix that makes one axis out of another: element o of the result is
/// Σ weights[k]·input[indices[k]] over starts[o] <= k < starts[o + 1].
typedef struct {
  const int32_t* starts;  // one more than the result has elements
  const int32_t* indices;
  const float* weights;
} ito_taps;

/// Applies `rows` to the height and `columns` to the width: bilinear and area resizing, average
/// pooling, and the adjoint of each with the transposed matrices. Elements of type f32 or bf16,
/// sums in float32 in the order of the taps.
void ito_resample(int type, const void* in, void* out, int64_t batch, int64_t height, int64_t width,
                  int64_t channels, int64_t out_height, int64_t out_width, ito_taps rows, ito_taps columns);

/// out[b, y, x] = in[b, rows[y], columns[x]] for pixels of `bytes` bytes.
void ito_resize_nearest(const void* in, void* out, int64_t batch, int64_t height, int64_t width, int64_t bytes,
                        int64_t out_height, int64_t out_width, const int32_t* rows, const int32_t* columns);

typedef struct {
  int64_t batch, height, width, channels;
  int64_t window_height, window_width, stride_height, stride_width;
  int64_t out_height, out_width;
} ito_pooling;

/// Largest element of each window, per channel; NaN when it holds one. f32 or bf16.
void ito_max_pool(int type, const void* in, void* out, ito_pooling shape);
/// Gradient of `ito_max_pool` in float32: each window's gradient goes to the first of its largest
/// elements.
void ito_max_pool_gradient(int type, const void* in, const void* gradient, float* out, ito_pooling shape);
#ifdef __cplusplus
}
#endif
