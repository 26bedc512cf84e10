#include "scalar_types.h"

// to[i * 16 + lane] = from[lane * stride + i] for sixteen lanes and i < count.
template <typename K>
static inline void winograd_spread(const K* from, int64_t stride, int64_t count, K* to) {
  typedef K block __attribute__((ext_vector_type(16)));
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    block v[16], t[16];
    for (int lane = 0; lane < 16; lane++) __builtin_memcpy(&v[lane], from + lane * stride + i, sizeof(block));
    // Zipping the halves of the lanes four times exchanges lanes and elements.
#pragma clang loop unroll(full)
    for (int stage = 0; stage < 4; stage++) {
#pragma clang loop unroll(full)
      for (int j = 0; j < 8; j++) {
        t[2 * j] = __builtin_shufflevector(v[j], v[j + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        t[2 * j + 1] = __builtin_shufflevector(v[j], v[j + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      }
#pragma clang loop unroll(full)
      for (int j = 0; j < 16; j++) v[j] = t[j];
    }
    __builtin_memcpy(to + i * 16, v, sizeof(v));
  }
  for (; i < count; i++)
    for (int lane = 0; lane < 16; lane++) to[i * 16 + lane] = from[lane * stride + i];
}

// Sixteen output channels' kernels to [channel][tap][16], zeros past the last: elements are copied as they are.
template <typename K>
static void winograd_panel_as(const WinogradKernels& k, int64_t first, K* to) {
  const K* elements = static_cast<const K*>(k.elements) + first * k.output;
  int64_t outputs = k.outputs - first < 16 ? k.outputs - first : 16;
  if (outputs == 16 && k.tap == 1 && k.channel == 9) return winograd_spread(elements, k.output, k.channels * 9, to);
  if (outputs < 16) memset(to, 0, size_t(k.channels * 9 * 16) * sizeof(K));
  // Some channels at a time, whose place in `to` stays in cache while one output after another is spread over it.
  constexpr int64_t kChannels = 16;
  for (int64_t c = 0; c < k.channels; c += kChannels, to += kChannels * 9 * 16) {
    int64_t count = k.channels - c < kChannels ? k.channels - c : kChannels;
    for (int64_t lane = 0; lane < outputs; lane++) {
      const K* from = elements + lane * k.output + c * k.channel;
      for (int64_t i = 0; i < count; i++)
        for (int64_t t = 0; t < 9; t++) to[(i * 9 + t) * 16 + lane] = from[i * k.channel + t * k.tap];
    }
  }
}

static void winograd_panel(const WinogradKernels& k, int dtype, int64_t first, void* to) {
  if (dtype == ITO_F32)
    winograd_panel_as(k, first, static_cast<float*>(to));
  else
    winograd_panel_as(k, first, static_cast<uint16_t*>(to));
}
