#pragma once
// Matrix multiplication and 2-D convolution on oneDNN 2.x or 3.x, behind plain structs. Primitives are
// created once for each shape, element type and thread count; weights are packed once for a buffer.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Every field is an int64 so that a descriptor is its own cache key.
typedef struct {
  int64_t batch, m, n, k;
  int64_t a_transposed;  // a is stored [k, m], not [m, k]
  int64_t b_transposed;  // b is stored [n, k], not [k, n]
  int64_t dtype;         // of a and b: F32 or BF16
  int64_t out_dtype;     // F32 or BF16
  int64_t has_bias;      // float32 [n]
  int64_t activation;    // of the result: SiLU, a GELU, ReLU or Mish of ito_unary.h, or ITO_UNARY_NONE
  int64_t has_residual;  // added before the activation
  int64_t packs_b;       // let the library choose b's layout and reorder into it
  int64_t b_dtype;       // what b is stored in: `dtype`, or BF16 or F16 to be widened to F32 for this call
  int64_t b_depth;       // b is transposed, and columns [b_first, b_first + k) of what is stored, [n, b_depth]; 0: all
  int64_t b_first;
  int64_t keeps_wide;    // `packed_b` also keeps forms of another type than b's, which may be larger
  int64_t sample_rows;   // of each sample, which may share products (ito_strassen.h); 0: no rows may
} ito_matmul_desc;

/// out[batch, m, n] = activation(a·b + bias + residual). `residual` has out's shape and type and may be out itself; it
/// and `bias` are null where the descriptor says so. `packed_b` keeps b's packed form, or is null (packed for this call
/// only). Returns 0, or 1 when there is no implementation, or none that does all of it in one pass.
int ito_matmul(const ito_matmul_desc* desc, const void* a, const void* b, const float* bias, const void* residual,
               void* out, void* packed_b);

typedef struct {
  int64_t batch, height, width, channels;  // input, NHWC
  int64_t out_height, out_width, out_channels;
  int64_t kernel_height, kernel_width;     // weights [out, kh, kw, in / groups]
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_bottom, pad_left, pad_right;
  int64_t dilation_height, dilation_width;  // 1 is dense
  int64_t groups;
  int64_t dtype;       // of input and output gradient, and what is computed in: F32 or BF16
  int64_t out_dtype;   // of the result
  int64_t has_bias;    // float32 [out_channels]
  int64_t activation, has_residual;  // as in `ito_matmul_desc`
  int64_t weights_dtype;  // what weights are stored in: `dtype`, or BF16 or F16 to be widened to F32 for this call
  int64_t doubles;     // every input pixel counts as two by two: forward only, and only where that is quicker
  int64_t keeps_wide;  // as in `ito_matmul_desc`
  int64_t allows_large;  // as in `ito_winograd_desc`, forward
} ito_conv_desc;

/// output = activation(conv(input, weights) + bias + residual). Returns as `ito_matmul`; with `doubles` 1 also where
/// the enlarged input had better be made.
int ito_conv_forward(const ito_conv_desc* desc, const void* input, const void* weights, const float* bias,
                     const void* residual, void* output, void* packed);
/// The same with weights [out, in / groups, kh, kw], as published files have them.
int ito_conv_forward_published(const ito_conv_desc* desc, const void* input, const void* weights, const float* bias,
                               const void* residual, void* output, void* packed);
/// input_gradient = convᵀ(output_gradient, weights); with a bias [channels] it is a transposed convolution's
/// forward pass (the bias is added by the caller).
int ito_conv_backward_data(const ito_conv_desc* desc, const void* output_gradient, const void* weights,
                           void* input_gradient, void* packed);
/// weight_gradient (float32 [out, kh, kw, in / groups]) and, unless null, bias_gradient (float32).
int ito_conv_backward_weights(const ito_conv_desc* desc, const void* input, const void* output_gradient,
                              float* weight_gradient, float* bias_gradient);

/// A new, empty holder of packed forms in memory; starts with an `ito_attachment`. ito_pack_store.h has one on disk.
void* ito_packs_create(void);
/// "2.6.3"
const char* ito_onednn_version(void);

#ifdef __cplusplus
}
#endif
