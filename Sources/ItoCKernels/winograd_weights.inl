#include "scalar_types.h"

// Sixteen output channels' kernels to [channel][tap][16], zeros past the last: elements are copied as they are.
template <typename K>
static void winograd_panel_as(const WinogradKernels& k, int64_t first, K* to) {
  int64_t outputs = k.outputs - first < 16 ? k.outputs - first : 16;
  if (outputs < 16) memset(to, 0, size_t(k.channels * 9 * 16) * sizeof(K));
  // Some channels at a time, whose place in `to` stays in cache while one output after another is spread over it.
  constexpr int64_t kChannels = 16;
  for (int64_t c = 0; c < k.channels; c += kChannels, to += kChannels * 9 * 16) {
    int64_t count = k.channels - c < kChannels ? k.channels - c : kChannels;
    for (int64_t lane = 0; lane < outputs; lane++) {
      const K* from = static_cast<const K*>(k.elements) + (first + lane) * k.output + c * k.channel;
      if (k.tap == 1) {
        for (int64_t i = 0; i < count * 9; i++) to[i * 16 + lane] = from[i];
      } else {
        for (int64_t i = 0; i < count; i++)
          for (int64_t t = 0; t < 9; t++) to[(i * 9 + t) * 16 + lane] = from[i * k.channel + t * k.tap];
      }
    }
  }
}

static void winograd_panel(const WinogradKernels& k, int dtype, int64_t first, void* to) {
  if (dtype == ITO_F32)
    winograd_panel_as(k, first, static_cast<float*>(to));
  else
    winograd_panel_as(k, first, static_cast<uint16_t*>(to));
}
