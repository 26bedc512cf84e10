#include "few_pixels.h"

#include <ito_product.h>
#include <ito_runtime.h>

#include <cstring>

#include "engine.h"

namespace ito {
namespace {

// Pixels up to which reading the weights takes most of the time (Docs/measurements.md). Kernels of 3×3 and stride 1 have
// a quicker form, for more pixels than a few tiles.
constexpr int64_t kFewPixels = 512, kFewForTiles = 128;

struct Rows {
  const ito_conv_desc& d;
  const float* input;
  float* rows;
  bool published;

  // The row of one output pixel.
  void fill(int64_t pixel) const {
    const int64_t taps = d.kernel_height * d.kernel_width;
    const int64_t x = pixel % d.out_width, y = pixel / d.out_width % d.out_height;
    const float* image = input + pixel / (d.out_width * d.out_height) * d.height * d.width * d.channels;
    float* row = rows + pixel * taps * d.channels;
    for (int64_t tap = 0; tap < taps; tap++) {
      const int64_t from_y = y * d.stride_height - d.pad_top + tap / d.kernel_width * d.dilation_height;
      const int64_t from_x = x * d.stride_width - d.pad_left + tap % d.kernel_width * d.dilation_width;
      const bool is_inside = from_y >= 0 && from_y < d.height && from_x >= 0 && from_x < d.width;
      const float* from = image + (from_y * d.width + from_x) * d.channels;
      if (published) {
        for (int64_t c = 0; c < d.channels; c++) row[c * taps + tap] = is_inside ? from[c] : 0.0f;
      } else {
        float* to = row + tap * d.channels;
        if (is_inside)
          std::memcpy(to, from, size_t(d.channels) * 4);
        else
          std::memset(to, 0, size_t(d.channels) * 4);
      }
    }
  }
};

}  // namespace

bool is_few_pixels(const ito_conv_desc& d) {
  bool fits = d.dtype == ITO_F32 && d.out_dtype == ITO_F32 && d.weights_dtype != ITO_F32 && d.groups == 1;
  bool has_tiles = d.kernel_height == 3 && d.kernel_width == 3 && d.stride_height == 1 && d.stride_width == 1 &&
                   d.dilation_height == 1 && d.dilation_width == 1;
  return fits && d.batch * d.out_height * d.out_width <= (has_tiles ? kFewForTiles : kFewPixels);
}

void convolve_few_pixels(const ito_conv_desc& d, bool published, const float* input, const void* weights,
                         const float* bias, const float* residual, float* output) {
  const int64_t pixels = d.batch * d.out_height * d.out_width, k = d.kernel_height * d.kernel_width * d.channels;
  const bool is_plain = d.kernel_height == 1 && d.kernel_width == 1 && d.stride_height == 1 && d.stride_width == 1 &&
                        d.out_height == d.height && d.out_width == d.width;
  Scratch rows(is_plain ? 0 : size_t(pixels * k) * 4);
  if (!is_plain) {
    Rows job{d, input, static_cast<float*>(rows.data), published};
    ito_parallel_for(
        pixels, 1,
        [](void* context, int64_t begin, int64_t end) {
          for (int64_t pixel = begin; pixel < end; pixel++) static_cast<Rows*>(context)->fill(pixel);
        },
        &job);
  }
  ito_product_desc product{pixels, d.out_channels, k, 0, 1, d.weights_dtype, k};
  ito_product_epilogue epilogue{bias, residual, d.activation};
  ito_product(&product, is_plain ? input : static_cast<const float*>(rows.data), weights, &epilogue, output);
}

}  // namespace ito
