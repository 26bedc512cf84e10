#include <cstdint>

#include "include/ito_winograd.h"

namespace {

// The kernels of one convolution, and where their transforms go.
struct WinogradWeights {
  const ito_winograd_desc* desc;
  const float* kernel;
  int order;
  float* transformed;  // [panel, product, channels, 16]
};

}  // namespace

#define ITO_KERNELS "winograd_weights.inl"
#include "multiversion.h"

extern "C" void ito_winograd_weights(const ito_winograd_desc* desc, const float* kernel, int order,
                                     float* transformed) {
  WinogradWeights job{desc, kernel, order, transformed};
  ito_parallel_for(
      (desc->out_channels + 15) / 16, 1,
      [](void* ctx, int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; p++)
          ITO_DISPATCH(winograd_weights_panel)(*static_cast<WinogradWeights*>(ctx), p);
      },
      &job);
}
