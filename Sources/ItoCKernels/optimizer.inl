#include "scalar_types.h"

// Stores nothing: a parameter that is float32 has no rounded copy.
struct NoCopy {};
static inline void store(NoCopy*, float) {}

template <typename G, typename C>
static void adamw(const ito_adamw& s, const G* gradient, float* w, float* m, float* v, C* copy, int64_t n) {
  const float keep = 1.0f - s.rate * s.decay;
  for (int64_t i = 0; i < n; i++) {
    const float g = s.gradient_scale * load(gradient + i);
    const float first = m[i] + (1.0f - s.beta1) * (g - m[i]);
    const float second = v[i] + (1.0f - s.beta2) * (g * g - v[i]);
    const float step = first * s.correction1 / (__builtin_sqrtf(second * s.correction2) + s.epsilon);
    const float value = keep * w[i] - s.rate * step;
    m[i] = first;
    v[i] = second;
    w[i] = value;
    if constexpr (!std::is_same<C, NoCopy>::value) store(copy + i, value);
  }
}

template <typename G, typename C>
static void sgd(const ito_sgd& s, const G* gradient, float* w, float* m, C* copy, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const float g = s.gradient_scale * load(gradient + i) + s.decay * w[i];
    float step = g;
    if (m) {
      const float moved = s.first ? g : s.momentum * m[i] + g;
      m[i] = moved;
      step = s.nesterov ? g + s.momentum * moved : moved;
    }
    const float value = w[i] - s.rate * step;
    w[i] = value;
    if constexpr (!std::is_same<C, NoCopy>::value) store(copy + i, value);
  }
}

template <typename C>
static void update_copy(const Update& u, C* copy, int64_t begin, int64_t end) {
  const int64_t n = end - begin;
  float* w = u.w + begin;
  float* m = u.m ? u.m + begin : nullptr;
  if (u.gradient_dtype == ITO_BF16) {
    const bf16* g = static_cast<const bf16*>(u.gradient) + begin;
    if (u.adamw) adamw(*u.adamw, g, w, m, u.v + begin, copy, n);
    else sgd(*u.sgd, g, w, m, copy, n);
  } else {
    const float* g = static_cast<const float*>(u.gradient) + begin;
    if (u.adamw) adamw(*u.adamw, g, w, m, u.v + begin, copy, n);
    else sgd(*u.sgd, g, w, m, copy, n);
  }
}

static void update_range(const Update& u, int64_t begin, int64_t end) {
  if (!u.copy) return update_copy(u, static_cast<NoCopy*>(nullptr), begin, end);
  if (u.copy_dtype == ITO_BF16) return update_copy(u, static_cast<bf16*>(u.copy) + begin, begin, end);
  update_copy(u, static_cast<f16*>(u.copy) + begin, begin, end);
}

static void ema_range(float* average, const float* value, float share, int64_t n) {
  for (int64_t i = 0; i < n; i++) average[i] += share * (value[i] - average[i]);
}

template <typename T>
static void accumulate_of(float* sum, const T* term, int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] += load(term + i);
}
static void accumulate_range(float* sum, const void* term, int dtype, int64_t begin, int64_t end) {
  if (dtype == ITO_BF16) accumulate_of(sum + begin, static_cast<const bf16*>(term) + begin, end - begin);
  else accumulate_of(sum + begin, static_cast<const float*>(term) + begin, end - begin);
}

// Sixteen partial sums in every version, so that all give the same bits.
template <typename T>
static double squares_of(const T* in, int64_t n) {
  double sums[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int l = 0; l < 16; l++) {
      const double x = load(in + i + l);
      sums[l] += x * x;
    }
  }
  double total = 0;
  for (int l = 0; l < 16; l++) total += sums[l];
  for (; i < n; i++) total += double(load(in + i)) * double(load(in + i));
  return total;
}
static double squares_block(const void* in, int dtype, int64_t begin, int64_t end) {
  return dtype == ITO_BF16 ? squares_of(static_cast<const bf16*>(in) + begin, end - begin)
                           : squares_of(static_cast<const float*>(in) + begin, end - begin);
}
