#include "scalar_types.h"

// Doubles in a register.
#if ITO_LEVEL >= 2
constexpr int kDoubles = 8;
#else
constexpr int kDoubles = 4;
#endif
typedef double doubles __attribute__((ext_vector_type(kDoubles)));
typedef float singles __attribute__((ext_vector_type(kDoubles)));

// The transform of kernels along one axis to n products: the rows of G, multiplied out in their order, so
// that every level and the plain formula give the same bits.
template <int n>
struct Filters;
// For pixels that are doubled: those of F(2, 3) without the product that vanishes, the one of the middle
// pixel's sum with itself taken once.
template <>
struct Filters<3> {
  static inline void apply(const doubles& a, const doubles& b, const doubles& c, doubles* t) {
#pragma clang fp contract(off)
    t[0] = a;
    t[1] = (a + b) + c;
    t[2] = c;
  }
};
template <>
struct Filters<4> {
  static inline void apply(const doubles& a, const doubles& b, const doubles& c, doubles* t) {
#pragma clang fp contract(off)
    doubles x = 0.5 * a, y = 0.5 * b, z = 0.5 * c;
    t[0] = a;
    t[1] = (x + y) + z;
    t[2] = (x - y) + z;
    t[3] = c;
  }
};
template <>
struct Filters<5> {
  static inline void apply(const doubles& a, const doubles& b, const doubles& c, doubles* t) {
    t[0] = a;
    t[1] = a + c;
    t[2] = c;
    t[3] = t[4] = b;
  }
};
template <>
struct Filters<6> {
  static inline void apply(const doubles& a, const doubles& b, const doubles& c, doubles* t) {
#pragma clang fp contract(off)
    doubles x = (1 / 6.0) * a, y = (1 / 6.0) * b, z = (1 / 6.0) * c;
    doubles u = (1 / 24.0) * a, v = (1 / 12.0) * b;
    t[0] = (1 / 4.0) * a;
    t[1] = -((x + y) + z);
    t[2] = (y - x) - z;
    t[3] = (u + v) + z;
    t[4] = (u - v) + z;
    t[5] = c;
  }
};

// Sixteen kernels of one input channel, `taps` [9, 16], to their products, each `step` floats from the one before.
template <int n>
static inline void transform_kernels(const float* taps, int64_t step, float* to) {
  for (int lane = 0; lane < 16; lane += kDoubles) {
    doubles tap[9], rows[3][n];
    for (int t = 0; t < 9; t++) {
      singles narrow;
      __builtin_memcpy(&narrow, taps + t * 16 + lane, sizeof(narrow));
      tap[t] = __builtin_convertvector(narrow, doubles);
    }
    for (int j = 0; j < 3; j++) Filters<n>::apply(tap[j], tap[3 + j], tap[6 + j], rows[j]);
    for (int i = 0; i < n; i++) {
      doubles t[n];
      Filters<n>::apply(rows[0][i], rows[1][i], rows[2][i], t);
      for (int j = 0; j < n; j++) {
        singles narrow = __builtin_convertvector(t[j], singles);
        __builtin_memcpy(to + (i * n + j) * step + lane, &narrow, sizeof(narrow));
      }
    }
  }
}

constexpr int64_t kChannels = 16;  // input channels whose taps are brought together at once

template <int n, typename S>
static void winograd_panel_of(const WinogradKernels& k, int64_t first, float* to) {
  int64_t outputs = k.outputs - first < 16 ? k.outputs - first : 16;
  float taps[kChannels * 9 * 16] = {}, run[kChannels * 9];
  for (int64_t c = 0; c < k.channels; c += kChannels) {
    int64_t count = k.channels - c < kChannels ? k.channels - c : kChannels;
    for (int64_t lane = 0; lane < outputs; lane++) {
      const S* from = static_cast<const S*>(k.elements) + (first + lane) * k.output + c * k.channel;
      if (k.tap == 1) {
        for (int64_t i = 0; i < count * 9; i++) run[i] = load(from + i);
      } else {
        for (int64_t i = 0; i < count; i++)
          for (int64_t t = 0; t < 9; t++) run[i * 9 + t] = load(from + i * k.channel + t * k.tap);
      }
      for (int64_t i = 0; i < count * 9; i++) taps[i * 16 + lane] = run[i];
    }
    for (int64_t i = 0; i < count; i++)
      transform_kernels<n>(taps + i * 9 * 16, k.channels * 16, to + (c + i) * 16);
  }
}

template <typename S>
static void winograd_panel_as(const WinogradKernels& k, int64_t side, int64_t first, float* to) {
  switch (side) {
    case 3: return winograd_panel_of<3, S>(k, first, to);
    case 4: return winograd_panel_of<4, S>(k, first, to);
    case 5: return winograd_panel_of<5, S>(k, first, to);
    default: return winograd_panel_of<6, S>(k, first, to);
  }
}

static void winograd_panel(const WinogradKernels& k, int dtype, int64_t side, int64_t first, float* to) {
  switch (dtype) {
    case ITO_BF16: return winograd_panel_as<bf16>(k, side, first, to);
    case ITO_F16: return winograd_panel_as<f16>(k, side, first, to);
    default: return winograd_panel_as<float>(k, side, first, to);
  }
}
