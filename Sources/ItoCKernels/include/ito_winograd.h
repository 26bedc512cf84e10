#pragma once
// 3x3 convolution by minimal filtering: Winograd's F(2x2, 3x3) and F(4x4, 3x3), computed in float32 on maps of float32 or
// bfloat16; where pairs of bfloat16 pay (`ito_bf16_pairs_pay`), maps of bfloat16 take F(2x2, 3x3) in pairs, and F(4x4, 3x3) if the
// caller allows it.
// The points of F(4x4, 3x3) are 0, 2/3, -2/3, 3/2, -3/2 and infinity, found by search over points of both signs: beside
// the usual 1 and 2 they halve the error for a few operations more.
//
// After Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308,
// sections 4.1 to 4.3. F(m x m) computes a tile of m x m outputs from (m + 2)^2 products instead of
// 9 m^2: 2.25 times fewer for m = 2, 4 times fewer for m = 4. Every product, for all tiles at once, is
// a matrix product over channels.
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A convolution of dilation 1 by 3x3 kernels; input and output NHWC. Padding is what
/// the sizes and the origin say: pixels outside the input are zero.
///
/// With a stride of 2 the tile is 2. Along an axis the even pixels meet the outer taps in F(2, 2) and the odd ones
/// the middle tap, so that 25 products are left of 36 (phases of a strided convolution as convolutions of stride 1,
/// each by minimal filtering).
///
/// With `doubles`, it is that of the input enlarged to 2 height by 2 width, each pixel repeated; the tile is 2
/// and the padding 1. Of the four products along an axis one is then of the difference of two equal pixels:
/// 9 are left of 16, of three by three stored pixels, and the enlarged input is never made.
typedef struct {
  int64_t batch, height, width, channels;
  int64_t out_height, out_width, out_channels;
  int64_t pad_top, pad_left;
  int64_t tile;     // m: 2 or 4
  int64_t stride;   // 1 or 2
  int64_t doubles;  // 1: every input pixel counts as two by two, of stride 1
  int64_t allows_large;  // 1: a tile of 4 in pairs of bfloat16 as well, which rounds more
  int64_t dtype;         // of input, residual and output: ITO_F32 or ITO_BF16
  int64_t kernel_dtype;  // ITO_F32, ITO_BF16 or ITO_F16
} ito_winograd_desc;

/// The tile that is quickest for this shape (`tile` is ignored) and within `ito_winograd_limit`, or 0
/// when direct convolution is. A function of shape, element type and instruction set, so that a network always computes alike.
///
/// The relative RMS error against double precision stays below 2e-6 for m = 2, which is less than that
/// of a sum over all 9 channels in float32, and below 5e-6 for m = 4 (unit-normal data, up to 2560
/// channels). In pairs, values and kernels are rounded once more, after their transforms: below 6e-3 from the sum in
/// float32 for m = 2, and 1.5e-2 for m = 4, of which rounding the result to bfloat16 is 1.7e-3.
int64_t ito_winograd_choice(const ito_winograd_desc* desc);
/// The largest tile that is chosen: 4, or what ITO_WINOGRAD says (4, 2, or 0: always direct).
int ito_winograd_limit(void);
void ito_set_winograd_limit(int tile);

/// How kernels are laid out.
enum {
  ITO_KERNEL_CHANNELS_LAST = 0,  // [out_channels, 3, 3, channels]
  ITO_KERNEL_ADJOINT = 1,        // [channels, 3, 3, out_channels] of the convolution whose input gradient this is
  ITO_KERNEL_PUBLISHED = 2       // [out_channels, channels, 3, 3]
};
/// Bytes of packed kernels: those of the kernels themselves, output channels rounded up to a multiple of 16.
size_t ito_winograd_packed_bytes(const ito_winograd_desc* desc);
/// Packs kernels of that order, of the same element type: [panel of 16 output channels, channel, tap, 16]. They are
/// transformed in float32 where they are used, in each block of tiles again, which costs some percent of the products and
/// spares the memory of what is up to four times as large.
void ito_winograd_pack(const ito_winograd_desc* desc, const void* kernel, int order, void* packed);

/// What follows the sums in the pass that writes them: out = activation(conv(x) + bias + residual).
typedef struct {
  const float* bias;      // [out_channels], or null
  const void* residual;   // like out, or null; may be out itself
  int64_t activation;     // a function of ito_unary.h without parameters, or ITO_UNARY_NONE
} ito_winograd_epilogue;

/// out = activation(conv(x) + bias + residual), rounded once where it is bfloat16.
void ito_winograd(const ito_winograd_desc* desc, const void* x, const void* packed,
                  const ito_winograd_epilogue* epilogue, void* out);
/// The same from kernels as `ito_winograd_pack` takes them, packed for this call: some output
/// channels after others, so that at most 64 MB are taken. The same bits.
void ito_winograd_packing(const ito_winograd_desc* desc, const void* x, const void* kernel, int order,
                          const ito_winograd_epilogue* epilogue, void* out);

#ifdef __cplusplus
}
#endif
