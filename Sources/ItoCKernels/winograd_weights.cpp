#include "winograd_weights.h"

#include <cstdint>
#include <cstring>

namespace {

// Kernels to be packed: the element of output o, input c and tap t (row by row) is at
// o · output + c · channel + t · tap.
struct WinogradKernels {
  const void* elements;
  int64_t output, channel, tap;
  int64_t channels, outputs;
};

}  // namespace

#define ITO_KERNELS "winograd_weights.inl"
#include "multiversion.h"

namespace {

struct PackedPanels {
  WinogradKernels kernels;
  int dtype;
  int64_t first, size;  // first panel, bytes of a panel
  char* packed;

  void run(int64_t begin, int64_t end) const {
    for (int64_t p = begin; p < end; p++) ITO_DISPATCH(winograd_panel)(kernels, dtype, (first + p) * 16, packed + p * size);
  }
};

WinogradKernels laid_out(const ito_winograd_desc& d, const void* kernel, int order) {
  switch (order) {
    case ITO_KERNEL_PUBLISHED: return {kernel, 9 * d.channels, 9, 1, d.channels, d.out_channels};
    case ITO_KERNEL_ADJOINT: {
      // Turned by half a circle: the last tap comes first.
      const char* last = static_cast<const char*>(kernel) + 8 * d.out_channels * (d.kernel_dtype == ITO_F32 ? 4 : 2);
      return {last, 1, 9 * d.out_channels, -d.out_channels, d.channels, d.out_channels};
    }
    default: return {kernel, 9 * d.channels, 1, d.channels, d.channels, d.out_channels};
  }
}

}  // namespace

void ito_winograd_pack_panels(const ito_winograd_desc* desc, const void* kernel, int order, int64_t first, int64_t count,
                              void* packed) {
  PackedPanels job{laid_out(*desc, kernel, order), int(desc->kernel_dtype), first, panel_bytes(*desc),
                   static_cast<char*>(packed)};
  ito_parallel_for(
      count, 1, [](void* ctx, int64_t begin, int64_t end) { static_cast<PackedPanels*>(ctx)->run(begin, end); }, &job);
}
