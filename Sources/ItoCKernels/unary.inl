#include "scalar_types.h"
#include "vector_math.h"
#include "activations.h"

// Recomputes by the C library the elements a limited function is not exact for; there are none in
// nearly every block, so the check is all this costs.
template <typename F, bool kSlope, typename T>
static void refine_large(const T* x, const T* g, T* out, int64_t n) {
  constexpr int64_t kBlock = 256;
  const uint32_t limit = bits_of(ITO_TRIGONOMETRIC_LIMIT);
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    int64_t end = begin + kBlock < n ? begin + kBlock : n;
    uint32_t largest = 0;
    for (int64_t i = begin; i < end; i++) {
      uint32_t u = bits_of(load(x + i)) & 0x7fffffffu;
      largest = u > largest ? u : largest;
    }
    if (largest < limit) continue;
    for (int64_t i = begin; i < end; i++) {
      float v = load(x + i);
      if (vabs(v) < ITO_TRIGONOMETRIC_LIMIT) continue;
      store(out + i, kSlope ? float(F::exact_slope(v)) * load(g + i) : float(F::exact_value(v)));
    }
  }
}

template <typename F, typename T>
static void value_loop(const T* __restrict x, T* __restrict out, int64_t n, float a, float b) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++) store(out + i, F::value(load(x + i), a, b));
  if constexpr (F::limited) refine_large<F, false, T>(x, nullptr, out, n);
}
template <typename F, typename T>
static void slope_loop(const T* __restrict s, const T* __restrict g, T* __restrict out, int64_t n, float a,
                       float b) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++) store(out + i, load(g + i) * F::slope(load(s + i), a, b));
  if constexpr (F::limited) refine_large<F, true, T>(s, g, out, n);
}

template <typename T>
static void unary_typed(int op, const void* x, void* out, int64_t n, float a, float b) {
  const T* source = static_cast<const T*>(x);
  T* result = static_cast<T*>(out);
  switch (op) {
#define CASE(NAME, F) \
  case NAME: return value_loop<F, T>(source, result, n, a, b);
    ITO_FOR_EACH_UNARY(CASE)
#undef CASE
  }
}
template <typename T>
static void unary_gradient_typed(int op, const void* saved, const void* g, void* out, int64_t n, float a, float b) {
  const T* source = static_cast<const T*>(saved);
  const T* upstream = static_cast<const T*>(g);
  T* result = static_cast<T*>(out);
  switch (op) {
#define CASE(NAME, F) \
  case NAME: return slope_loop<F, T>(source, upstream, result, n, a, b);
    ITO_FOR_EACH_UNARY(CASE)
#undef CASE
  }
}

static void unary_range(int op, const void* x, void* out, int dtype, int64_t n, float a, float b) {
  dtype == ITO_BF16 ? unary_typed<bf16>(op, x, out, n, a, b) : unary_typed<float>(op, x, out, n, a, b);
}
static void unary_gradient_range(int op, const void* saved, const void* g, void* out, int dtype, int64_t n, float a,
                                 float b) {
  dtype == ITO_BF16 ? unary_gradient_typed<bf16>(op, saved, g, out, n, a, b)
                    : unary_gradient_typed<float>(op, saved, g, out, n, a, b);
}

template <typename F, typename T>
static void gated_loop(const T* __restrict hidden, const T* __restrict gate, T* __restrict out, int64_t rows,
                       int64_t n) {
  for (int64_t r = 0; r < rows; r++, hidden += 2 * n, gate += 2 * n, out += n) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) store(out + i, load(hidden + i) * F::value(load(gate + i), 0, 0));
  }
}
template <typename F, typename T>
static void gated_gradient_loop(const T* __restrict hidden, const T* __restrict gate, const T* __restrict g,
                                T* __restrict dhidden, T* __restrict dgate, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++, g += n) {
    const int64_t at = 2 * n * r;
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) {
      float u = load(g + i), v = load(gate + at + i);
      // ReLU's derivative from its input agrees with the one from its result.
      store(dgate + at + i, u * load(hidden + at + i) * F::slope(v, 0, 0));
      store(dhidden + at + i, u * F::value(v, 0, 0));
    }
  }
}

template <typename T>
static void gated_typed(int op, const void* x, void* out, int64_t rows, int64_t n, int gate_first) {
  const T* first = static_cast<const T*>(x);
  const T *hidden = gate_first ? first + n : first, *gate = gate_first ? first : first + n;
  switch (op) {
#define CASE(NAME, F) \
  case NAME: return gated_loop<F, T>(hidden, gate, static_cast<T*>(out), rows, n);
    ITO_FOR_EACH_GATE(CASE)
#undef CASE
  }
}
template <typename T>
static void gated_gradient_typed(int op, const void* x, const void* g, void* dx, int64_t rows, int64_t n,
                                 int gate_first) {
  const T* first = static_cast<const T*>(x);
  T* out = static_cast<T*>(dx);
  const int64_t h = gate_first ? n : 0, c = gate_first ? 0 : n;
  switch (op) {
#define CASE(NAME, F)                                                                                  \
  case NAME:                                                                                           \
    return gated_gradient_loop<F, T>(first + h, first + c, static_cast<const T*>(g), out + h, out + c, \
                                     rows, n);
    ITO_FOR_EACH_GATE(CASE)
#undef CASE
  }
}

static void gated_range(int op, const void* x, void* out, int dtype, int64_t rows, int64_t n, int gate_first) {
  dtype == ITO_BF16 ? gated_typed<bf16>(op, x, out, rows, n, gate_first)
                    : gated_typed<float>(op, x, out, rows, n, gate_first);
}
static void gated_gradient_range(int op, const void* x, const void* g, void* dx, int dtype, int64_t rows, int64_t n,
                                 int gate_first) {
  dtype == ITO_BF16 ? gated_gradient_typed<bf16>(op, x, g, dx, rows, n, gate_first)
                    : gated_gradient_typed<float>(op, x, g, dx, rows, n, gate_first);
}
