#include "scalar_types.h"
#include "vector_math.h"

// Sums run in kSums interleaved parts, which vectorise at every level and are added in one order.
constexpr int64_t kSums = 16;

// Sum over i < n of f(i), i in parts by i % kSums.
template <typename F>
static inline float sum_of(int64_t n, F f) {
  float part[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (int64_t k = 0; k < kSums; k++) part[k] += f(i + k);
  for (int64_t k = 0; i + k < n; k++) part[k] += f(i + k);
  for (int64_t half = kSums / 2; half > 0; half /= 2)
    for (int64_t k = 0; k < half; k++) part[k] += part[k + half];
  return part[0];
}

template <typename T>
static inline float largest(const T* x, int64_t n) {
  float part[kSums];
  for (int64_t k = 0; k < kSums; k++) part[k] = -__builtin_inff();
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (int64_t k = 0; k < kSums; k++) {
      float v = load(x + i + k);
      part[k] = v > part[k] ? v : part[k];
    }
  for (int64_t k = 0; i + k < n; k++) {
    float v = load(x + i + k);
    part[k] = v > part[k] ? v : part[k];
  }
  float m = part[0];
  for (int64_t k = 1; k < kSums; k++) m = part[k] > m ? part[k] : m;
  return m;
}

template <typename T>
static inline float sum_of_exponentials(const T* x, int64_t n, float m) {
  return sum_of(n, [=](int64_t i) { return vexp_normal(load(x + i) - m); });
}

template <typename T>
static void softmax_typed(const T* __restrict x, int64_t rows, int64_t n, bool logarithm, T* __restrict out) {
  for (int64_t r = 0; r < rows; r++, x += n, out += n) {
    float m = largest(x, n), sum = sum_of_exponentials(x, n, m);
    if (logarithm) {
      float shift = vlog(sum);
      ITO_WIDE_LOOP
      for (int64_t i = 0; i < n; i++) store(out + i, (load(x + i) - m) - shift);
    } else {
      float scale = 1.0f / sum;
      ITO_WIDE_LOOP
      for (int64_t i = 0; i < n; i++) store(out + i, vexp_normal(load(x + i) - m) * scale);
    }
  }
}
static void softmax_range(const void* x, int dtype, int64_t rows, int64_t n, bool logarithm, void* out) {
  if (dtype == ITO_BF16)
    return softmax_typed(static_cast<const bf16*>(x), rows, n, logarithm, static_cast<bf16*>(out));
  softmax_typed(static_cast<const float*>(x), rows, n, logarithm, static_cast<float*>(out));
}

template <typename T>
static void softmax_gradient_typed(const T* __restrict y, const T* __restrict g, int64_t rows, int64_t n,
                                   bool logarithm, T* __restrict dx) {
  for (int64_t r = 0; r < rows; r++, y += n, g += n, dx += n) {
    if (logarithm) {
      float sum = sum_of(n, [=](int64_t i) { return load(g + i); });
      ITO_WIDE_LOOP
      for (int64_t i = 0; i < n; i++) store(dx + i, load(g + i) - vexp_normal(load(y + i)) * sum);
    } else {
      float sum = sum_of(n, [=](int64_t i) { return load(g + i) * load(y + i); });
      ITO_WIDE_LOOP
      for (int64_t i = 0; i < n; i++) store(dx + i, load(y + i) * (load(g + i) - sum));
    }
  }
}
static void softmax_gradient_range(const void* y, const void* g, int dtype, int64_t rows, int64_t n, bool logarithm,
                                   void* dx) {
  if (dtype == ITO_BF16)
    return softmax_gradient_typed(static_cast<const bf16*>(y), static_cast<const bf16*>(g), rows, n, logarithm,
                                  static_cast<bf16*>(dx));
  softmax_gradient_typed(static_cast<const float*>(y), static_cast<const float*>(g), rows, n, logarithm,
                         static_cast<float*>(dx));
}

// The largest is taken out of every term, so that large logits do not cancel.
template <typename T>
static void cross_entropy_typed(const T* x, const int32_t* labels, int64_t rows, int64_t n, float smoothing,
                                float* loss, float* log_sum) {
  for (int64_t r = 0; r < rows; r++, x += n) {
    float m = largest(x, n), shift = vlog(sum_of_exponentials(x, n, m));
    float target = (1.0f - smoothing) * (load(x + labels[r]) - m);
    if (smoothing > 0.0f)
      target += smoothing * sum_of(n, [=](int64_t i) { return load(x + i) - m; }) / float(n);
    loss[r] = shift - target;
    log_sum[r] = m + shift;
  }
}
static void cross_entropy_range(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n,
                                float smoothing, float* loss, float* log_sum) {
  if (dtype == ITO_BF16)
    return cross_entropy_typed(static_cast<const bf16*>(x), labels, rows, n, smoothing, loss, log_sum);
  cross_entropy_typed(static_cast<const float*>(x), labels, rows, n, smoothing, loss, log_sum);
}

template <typename T>
static void cross_entropy_gradient_typed(const T* __restrict x, const int32_t* labels, int64_t rows, int64_t n,
                                         float smoothing, const float* log_sum, const float* g, T* __restrict dx) {
  float spread = smoothing / float(n);
  for (int64_t r = 0; r < rows; r++, x += n, dx += n) {
    float scale = g[r], shift = log_sum[r];
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) store(dx + i, scale * (vexp_normal(load(x + i) - shift) - spread));
    int64_t k = labels[r];
    store(dx + k, scale * ((vexp_normal(load(x + k) - shift) - spread) - (1.0f - smoothing)));
  }
}
static void cross_entropy_gradient_range(const void* x, int dtype, const int32_t* labels, int64_t rows, int64_t n,
                                         float smoothing, const float* log_sum, const float* g, void* dx) {
  if (dtype == ITO_BF16)
    return cross_entropy_gradient_typed(static_cast<const bf16*>(x), labels, rows, n, smoothing, log_sum, g,
                                        static_cast<bf16*>(dx));
  cross_entropy_gradient_typed(static_cast<const float*>(x), labels, rows, n, smoothing, log_sum, g,
                               static_cast<float*>(dx));
}
