#include "scalar_types.h"
#include "vector_math.h"

// The sum of x of each channel over `pixels` pixels, four pixels at a time so that the sums are read
// and written a quarter as often.
template <typename T>
static void group_sums(const T* __restrict x, int64_t pixels, int64_t channels, float* __restrict sum) {
  for (int64_t c = 0; c < channels; c++) sum[c] = 0;
  int64_t p = 0;
  for (; p + 4 <= pixels; p += 4, x += 4 * channels)
    for (int64_t c = 0; c < channels; c++)
      sum[c] += (load(x + c) + load(x + channels + c)) + (load(x + 2 * channels + c) + load(x + 3 * channels + c));
  for (; p < pixels; p++, x += channels)
    for (int64_t c = 0; c < channels; c++) sum[c] += load(x + c);
}

// The sum of (x - centre)^2 of each channel.
template <typename T>
static void group_squares(const T* __restrict x, int64_t pixels, int64_t channels, const float* __restrict centre,
                          float* __restrict square) {
  for (int64_t c = 0; c < channels; c++) square[c] = 0;
  int64_t p = 0;
  for (; p + 2 <= pixels; p += 2, x += 2 * channels)
    for (int64_t c = 0; c < channels; c++) {
      float a = load(x + c) - centre[c], b = load(x + channels + c) - centre[c];
      square[c] += a * a + b * b;
    }
  for (; p < pixels; p++, x += channels)
    for (int64_t c = 0; c < channels; c++) {
      float a = load(x + c) - centre[c];
      square[c] += a * a;
    }
}

// Of `channels` of the `out_channels` that a pixel of the result has. `out` may be `x`.
template <bool kSiLU, typename T>
static void group_write(const T* x, int64_t pixels, int64_t channels, const float* __restrict centre,
                        const float* __restrict scale, const float* __restrict bias, T* out, int64_t out_channels) {
  for (int64_t p = 0; p < pixels; p++, x += channels, out += out_channels) {
    ITO_WIDE_LOOP_IN_PLACE
    for (int64_t c = 0; c < channels; c++) {
      float z = (load(x + c) - centre[c]) * scale[c] + bias[c];
      store(out + c, kSiLU ? z * vsigmoid(z) : z);
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
                                const float* __restrict centre, const float* __restrict rstd,
                                const float* __restrict weight, const float* __restrict bias, float* __restrict sum,
                                float* __restrict product) {
  for (int64_t c = 0; c < channels; c++) sum[c] = product[c] = 0;
  for (int64_t p = 0; p < pixels; p++, x += channels, g += channels)
    for (int64_t c = 0; c < channels; c++) {
      float n = (load(x + c) - centre[c]) * rstd[c];
      float d = before_silu<kSiLU>(load(g + c), n * weight[c] + bias[c]);
      sum[c] += d;
      product[c] += d * n;
    }
}

// dx = rstd (w d - a - n b), a and b being the group's means of w d and w d n.
template <bool kSiLU, typename T>
static void group_gradient_write(const T* __restrict x, const T* __restrict g, int64_t pixels, int64_t channels,
                                 const float* __restrict centre, const float* __restrict rstd,
                                 const float* __restrict weight, const float* __restrict bias,
                                 const float* __restrict a, const float* __restrict b, T* __restrict dx) {
  for (int64_t p = 0; p < pixels; p++, x += channels, g += channels, dx += channels) {
    ITO_WIDE_LOOP
    for (int64_t c = 0; c < channels; c++) {
      float n = (load(x + c) - centre[c]) * rstd[c];
      float d = before_silu<kSiLU>(load(g + c), n * weight[c] + bias[c]);
      store(dx + c, rstd[c] * (weight[c] * d - a[c] - n * b[c]));
    }
  }
}

// ---- One block of one sample, by element type ----

// Forward: every tensor's channels in turn, which are sums of their own.
template <typename T>
static void group_block_forward(const GroupBlock& k, GroupPass pass) {
  const GroupVectors& v = k.vectors;
  for (int64_t i = 0, c = 0; i < k.parts; i++) {
    const int64_t channels = k.x[i].channels;
    const T* x = static_cast<const T*>(k.x[i].data) + k.first * channels;
    T* out = static_cast<T*>(k.out) + k.first * k.channels + c;
    if (pass == GroupPass::sums)
      group_sums(x, k.pixels, channels, k.sums + c);
    else if (pass == GroupPass::squares)
      group_squares(x, k.pixels, channels, v.centre + c, k.sums + c);
    else
      (k.silu ? group_write<true, T> : group_write<false, T>)(x, k.pixels, channels, v.centre + c, v.scale + c,
                                                              v.bias + c, out, k.channels);
    c += channels;
  }
}

template <typename T>
static void group_block_typed(const GroupBlock& k, GroupPass pass) {
  if (pass != GroupPass::gradient_sums && pass != GroupPass::gradient_write) return group_block_forward<T>(k, pass);
  const GroupVectors& v = k.vectors;
  const int64_t n = k.pixels, c = k.channels, at = k.first * c;
  const T *x = static_cast<const T*>(k.x[0].data) + at, *g = static_cast<const T*>(k.g) + at;
  T* out = static_cast<T*>(k.out) + at;
  if (pass == GroupPass::gradient_sums)
    return (k.silu ? group_gradient_sums<true, T> : group_gradient_sums<false, T>)(
        x, g, n, c, v.centre, v.rstd, v.scale, v.bias, k.sums, k.sums + c);
  return (k.silu ? group_gradient_write<true, T> : group_gradient_write<false, T>)(
      x, g, n, c, v.centre, v.rstd, v.scale, v.bias, v.a, v.b, out);
}

static void group_block(const GroupBlock& k, int dtype, GroupPass pass) {
  (dtype == ITO_BF16 ? group_block_typed<bf16> : group_block_typed<float>)(k, pass);
}
