// Convolutions as one product of our own.
#pragma once
#include "include/ito_onednn.h"

namespace ito {

// Whether the product below is quicker: of kernels of one pixel where products are ours, of few output pixels, or of few
// input channels, by weights in half precision.
bool is_product(const ito_conv_desc& d);

// output = activation(conv(input, weights) + bias + residual): the surroundings of every output pixel are laid out as a row
// in the order of the weights, which are read once, in their own type. `published`: weights are [out, in, kh, kw], else
// [out, kh, kw, in]. `packs` keeps them packed, unless null.
void convolve_as_product(const ito_conv_desc& d, bool published, const void* input, const void* weights, const float* bias,
                         const void* residual, void* output, void* packs);

}  // namespace ito
