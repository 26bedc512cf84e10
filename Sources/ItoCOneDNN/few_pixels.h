// Convolutions of few output pixels by weights in half precision, as one product.
#pragma once
#include "include/ito_onednn.h"

namespace ito {

// Whether the product below is quicker than widening the weights for every call and laying them out for another kernel.
bool is_few_pixels(const ito_conv_desc& d);

// output = activation(conv(input, weights) + bias + residual), float32: the surroundings of every output pixel are laid
// out as a row in the order of the weights, which are read once, in half precision. `published`: weights are
// [out, in, kh, kw], else [out, kh, kw, in].
void convolve_few_pixels(const ito_conv_desc& d, bool published, const float* input, const void* weights,
                         const float* bias, const float* residual, float* output);

}  // namespace ito
