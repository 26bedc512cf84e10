#include "convolution_product.h"

#include <ito_product.h>
#include <ito_runtime.h>

#include <cstring>

#include "engine.h"

namespace ito {
namespace {

// Output pixels up to which reading the weights takes most of the time (Docs/measurements.md).
constexpr int64_t kFewPixels = 512;
// Bytes of rows that are laid out at once.
constexpr int64_t kRowsAtOnce = 8 << 20;

bool is_plain(const ito_conv_desc& d) {
  return d.kernel_height == 1 && d.kernel_width == 1 && d.stride_height == 1 && d.stride_width == 1 &&
         d.out_height == d.height && d.out_width == d.width && d.pad_top == 0 && d.pad_left == 0;
}

template <typename T>
struct Rows {
  const ito_conv_desc& d;
  const T* input;
  T* rows;
  bool published;
  int64_t first;  // the output pixel whose row comes first

  // The row of one output pixel.
  void fill(int64_t pixel) const {
    const int64_t taps = d.kernel_height * d.kernel_width;
    const int64_t x = pixel % d.out_width, y = pixel / d.out_width % d.out_height;
    const T* image = input + pixel / (d.out_width * d.out_height) * d.height * d.width * d.channels;
    T* row = rows + (pixel - first) * taps * d.channels;
    for (int64_t tap = 0; tap < taps; tap++) {
      const int64_t from_y = y * d.stride_height - d.pad_top + tap / d.kernel_width * d.dilation_height;
      const int64_t from_x = x * d.stride_width - d.pad_left + tap % d.kernel_width * d.dilation_width;
      const bool is_inside = from_y >= 0 && from_y < d.height && from_x >= 0 && from_x < d.width;
      const T* from = image + (from_y * d.width + from_x) * d.channels;
      if (published) {
        for (int64_t c = 0; c < d.channels; c++) row[c * taps + tap] = is_inside ? from[c] : T(0);
      } else {
        T* to = row + tap * d.channels;
        if (is_inside)
          std::memcpy(to, from, size_t(d.channels) * sizeof(T));
        else
          std::memset(to, 0, size_t(d.channels) * sizeof(T));
      }
    }
  }
  void fill(int64_t begin, int64_t end) {
    first = begin;
    struct Range {
      const Rows* rows;
      int64_t begin;
    } range{this, begin};
    ito_parallel_for(
        end - begin, 16,
        [](void* context, int64_t from, int64_t to) {
          const Range& r = *static_cast<Range*>(context);
          for (int64_t pixel = from; pixel < to; pixel++) r.rows->fill(r.begin + pixel);
        },
        &range);
  }
};

// Zeros of either type have the same bits: elements are moved as whole numbers.
template <typename T>
void convolve(const ito_conv_desc& d, bool published, const void* input, ito_product_desc product, const void* weights,
              const float* bias, const void* residual, void* output) {
  const int64_t pixels = product.m;
  if (is_plain(d)) {
    ito_product_epilogue epilogue{bias, residual, d.activation};
    return ito_product(&product, input, weights, &epilogue, output);
  }
  const int64_t fitting = kRowsAtOnce / (product.k * int64_t(sizeof(T))), least = fitting < 252 ? 252 : fitting;
  const int64_t each = least < pixels ? least : pixels;
  Scratch scratch(size_t(each * product.k) * sizeof(T));
  Rows<T> rows{d, static_cast<const T*>(input), static_cast<T*>(scratch.data), published, 0};
  for (int64_t first = 0; first < pixels; first += each) {
    const int64_t last = first + each < pixels ? first + each : pixels, at = first * d.out_channels;
    rows.fill(first, last);
    product.m = last - first;
    ito_product_epilogue epilogue{bias, residual ? static_cast<const T*>(residual) + at : nullptr, d.activation};
    ito_product(&product, scratch.data, weights, &epilogue, static_cast<T*>(output) + at);
  }
}

}  // namespace

bool is_product(const ito_conv_desc& d) {
  if (d.groups != 1 || d.dtype != d.out_dtype) return false;
  const bool is_half = d.dtype == ITO_BF16, multiplies_floats = !is_half || !ito_bf16_pairs_pay();
  if (!multiplies_floats || (is_half && d.weights_dtype != ITO_BF16)) return false;
  // oneDNN has bfloat16 in pairs only, at the same rate for every shape.
  if (is_half) return true;
  if (d.weights_dtype == ITO_F32) return false;
  return d.batch * d.out_height * d.out_width <= kFewPixels || (is_plain(d) && ito_isa() >= ITO_ISA_AVX512);
}

void convolve_as_product(const ito_conv_desc& d, bool published, const void* input, const void* weights, const float* bias,
                         const void* residual, void* output, void* packs) {
  const int64_t k = d.kernel_height * d.kernel_width * d.channels;
  ito_product_desc product{d.batch * d.out_height * d.out_width, d.out_channels, k, 0, 1, d.dtype, d.dtype, d.weights_dtype,
                           k, 0};
  std::unique_ptr<Scratch> none;
  if (packs) {
    weights = packed_form(published ? "product published" : "product", ito_product_packed_bytes(&product),
                          [&](void* to) { ito_product_pack(&product, weights, to); }, packs, none);
    product.b_packed = 1;
  }
  if (d.dtype == ITO_F32)
    convolve<uint32_t>(d, published, input, product, weights, bias, residual, output);
  else
    convolve<uint16_t>(d, published, input, product, weights, bias, residual, output);
}

}  // namespace ito
