#include "scalar_types.h"

template <typename S, typename D>
static void convert_float(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  D* d = static_cast<D*>(out);
  for (int64_t i = 0; i < n; i++) store(d + i, load(s + i));
}
template <typename S, typename D>
static void convert_from_integer(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  D* d = static_cast<D*>(out);
  for (int64_t i = 0; i < n; i++) store(d + i, float(s[i]));
}
// Truncates toward zero and saturates at the ends of the integer type; NaN gives 0.
template <typename S, typename D>
static void convert_to_integer(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  D* d = static_cast<D*>(out);
  const D low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
  for (int64_t i = 0; i < n; i++) {
    float v = load(s + i);
    d[i] = v != v ? D(0) : v <= float(low) ? low : v >= float(high) ? high : D(v);
  }
}
template <typename S>
static void convert_to_bool(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  uint8_t* d = static_cast<uint8_t*>(out);
  for (int64_t i = 0; i < n; i++) d[i] = s[i] != S(0);
}
template <typename S>
static void convert_float_to_bool(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  uint8_t* d = static_cast<uint8_t*>(out);
  for (int64_t i = 0; i < n; i++) d[i] = load(s + i) != 0.0f;
}
template <typename S, typename D>
static void convert_integer(const void* in, void* out, int64_t n) {
  const S* s = static_cast<const S*>(in);
  D* d = static_cast<D*>(out);
  for (int64_t i = 0; i < n; i++) d[i] = D(s[i]);
}

template <typename S>
static void from_float(const void* in, void* out, int64_t n, int to) {
  switch (to) {
    case ITO_F32: return convert_float<S, float>(in, out, n);
    case ITO_BF16: return convert_float<S, bf16>(in, out, n);
    case ITO_F16: return convert_float<S, f16>(in, out, n);
    case ITO_I8: return convert_to_integer<S, int8_t>(in, out, n);
    case ITO_U8: return convert_to_integer<S, uint8_t>(in, out, n);
    case ITO_I32: return convert_to_integer<S, int32_t>(in, out, n);
    case ITO_I64: return convert_to_integer<S, int64_t>(in, out, n);
    default: return convert_float_to_bool<S>(in, out, n);
  }
}
template <typename S>
static void from_integer(const void* in, void* out, int64_t n, int to) {
  switch (to) {
    case ITO_F32: return convert_from_integer<S, float>(in, out, n);
    case ITO_BF16: return convert_from_integer<S, bf16>(in, out, n);
    case ITO_F16: return convert_from_integer<S, f16>(in, out, n);
    case ITO_I8: return convert_integer<S, int8_t>(in, out, n);
    case ITO_U8: return convert_integer<S, uint8_t>(in, out, n);
    case ITO_I32: return convert_integer<S, int32_t>(in, out, n);
    case ITO_I64: return convert_integer<S, int64_t>(in, out, n);
    default: return convert_to_bool<S>(in, out, n);
  }
}

static void convert_range(const void* in, int from, void* out, int to, int64_t n) {
  switch (from) {
    case ITO_F32: return from_float<float>(in, out, n, to);
    case ITO_BF16: return from_float<bf16>(in, out, n, to);
    case ITO_F16: return from_float<f16>(in, out, n, to);
    case ITO_I8: return from_integer<int8_t>(in, out, n, to);
    case ITO_I32: return from_integer<int32_t>(in, out, n, to);
    case ITO_I64: return from_integer<int64_t>(in, out, n, to);
    default: return from_integer<uint8_t>(in, out, n, to);
  }
}
