#include "scalar_types.h"
#include "vector_math.h"

// Sums of (x - shift) and (x - shift)^2 of each channel over `pixels` pixels. The shift is a sample of
// the data, which keeps the squares from cancelling.
template <typename T>
static void group_sums(const T* __restrict x, int64_t pixels, int64_t channels, const T* __restrict shift,
                       float* __restrict sum, float* __restrict square) {
  for (int64_t c = 0; c < channels; c++) sum[c] = square[c] = 0;
  for (int64_t p = 0; p < pixels; p++) {
    const T* row = x + p * channels;
    for (int64_t c = 0; c < channels; c++) {
      float d = load(row + c) - load(shift + c);
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

template <bool kSiLU, typename T>
static void group_write(const T* __restrict x, int64_t pixels, int64_t channels, const float* __restrict mean,
                        const float* __restrict scale, const float* __restrict bias, T* __restrict out) {
  for (int64_t p = 0; p < pixels; p++) {
    const T* row = x + p * channels;
    T* to = out + p * channels;
    ITO_WIDE_LOOP
    for (int64_t c = 0; c < channels; c++) {
      float z = (load(row + c) - mean[c]) * scale[c] + bias[c];
      store(to + c, kSiLU ? z * vsigmoid(z) : z);
    }
  }
}

// The gradient with respect to the value before SiLU.
template <bool kSiLU>
static inline float before_silu(float g, float z) {
  if (!kSiLU) return g;
  float s = vsigmoid(z);
  return g * s * (1.0f + z * (1.0f - s));
}

template <bool kSiLU, typename T>
static void group_gradient_sums(const T* __restrict x, const T* __restrict g, int64_t pixels, int64_t channels,
                                const float* __restrict mean, const float* __restrict rstd,
                                const float* __restrict weight, const float* __restrict bias, float* __restrict sum,
                                float* __restrict product) {
  for (int64_t c = 0; c < channels; c++) sum[c] = product[c] = 0;
  for (int64_t p = 0; p < pixels; p++) {
    const T *row = x + p * channels, *upstream = g + p * channels;
    for (int64_t c = 0; c < channels; c++) {
      float n = (load(row + c) - mean[c]) * rstd[c];
      float d = before_silu<kSiLU>(load(upstream + c), n * weight[c] + bias[c]);
      sum[c] += d;
      product[c] += d * n;
    }
  }
}

// dx = rstd (w d - a - n b), a and b being the group's means of w d and w d n.
template <bool kSiLU, typename T>
static void group_gradient_write(const T* __restrict x, const T* __restrict g, int64_t pixels, int64_t channels,
                                 const float* __restrict mean, const float* __restrict rstd,
                                 const float* __restrict weight, const float* __restrict bias,
                                 const float* __restrict a, const float* __restrict b, T* __restrict dx) {
  for (int64_t p = 0; p < pixels; p++) {
    const T *row = x + p * channels, *upstream = g + p * channels;
    T* to = dx + p * channels;
    ITO_WIDE_LOOP
    for (int64_t c = 0; c < channels; c++) {
      float n = (load(row + c) - mean[c]) * rstd[c];
      float d = before_silu<kSiLU>(load(upstream + c), n * weight[c] + bias[c]);
      store(to + c, rstd[c] * (weight[c] * d - a[c] - n * b[c]));
    }
  }
}

// ---- One block of one sample, by element type ----

template <typename T>
static void group_forward_typed(const GroupBlock& k, bool statistics) {
  const T* x = static_cast<const T*>(k.x);
  if (statistics)
    return group_sums(x, k.pixels, k.channels, static_cast<const T*>(k.shift), k.sums, k.sums + k.channels);
  T* out = static_cast<T*>(k.out);
  if (k.silu) return group_write<true>(x, k.pixels, k.channels, k.mean, k.weight, k.bias, out);
  group_write<false>(x, k.pixels, k.channels, k.mean, k.weight, k.bias, out);
}

static void group_forward(const GroupBlock& k, int dtype, bool statistics) {
  if (dtype == ITO_BF16) return group_forward_typed<bf16>(k, statistics);
  group_forward_typed<float>(k, statistics);
}

template <bool kSiLU, typename T>
static void group_backward_typed(const GroupBlock& k, bool statistics) {
  const T *x = static_cast<const T*>(k.x), *g = static_cast<const T*>(k.g);
  if (statistics)
    return group_gradient_sums<kSiLU>(x, g, k.pixels, k.channels, k.mean, k.rstd, k.weight, k.bias, k.sums,
                                      k.sums + k.channels);
  group_gradient_write<kSiLU>(x, g, k.pixels, k.channels, k.mean, k.rstd, k.weight, k.bias, k.a, k.b,
                              static_cast<T*>(k.out));
}

static void group_backward(const GroupBlock& k, int dtype, bool statistics) {
  if (dtype == ITO_BF16)
    return k.silu ? group_backward_typed<true, bf16>(k, statistics) : group_backward_typed<false, bf16>(k, statistics);
  return k.silu ? group_backward_typed<true, float>(k, statistics) : group_backward_typed<false, float>(k, statistics);
}
