#include "scalar_types.h"

template <typename T>
static void rotate_vectors(const T* in, T* out, int64_t count, int64_t features, int64_t pairs, const float* cosines,
                           const float* sines, bool interleaved, float sign) {
  for (int64_t v = 0; v < count; v++, in += features, out += features) {
    if (interleaved) {
      for (int64_t k = 0; k < pairs; k++) {
        float a = load(in + 2 * k), b = load(in + 2 * k + 1), s = sign * sines[k];
        store(out + 2 * k, a * cosines[k] - b * s);
        store(out + 2 * k + 1, b * cosines[k] + a * s);
      }
    } else {
      for (int64_t k = 0; k < pairs; k++) {
        float a = load(in + k), b = load(in + pairs + k), s = sign * sines[k];
        store(out + k, a * cosines[k] - b * s);
        store(out + pairs + k, b * cosines[k] + a * s);
      }
    }
    for (int64_t k = 2 * pairs; k < features; k++) out[k] = in[k];
  }
}

static void rotate_typed_vectors(int type, const void* in, void* out, int64_t count, int64_t features, int64_t pairs,
                                 const float* cosines, const float* sines, bool interleaved, float sign) {
  if (type == ITO_F32)
    rotate_vectors(static_cast<const float*>(in), static_cast<float*>(out), count, features, pairs, cosines, sines,
                   interleaved, sign);
  else
    rotate_vectors(static_cast<const bf16*>(in), static_cast<bf16*>(out), count, features, pairs, cosines, sines,
                   interleaved, sign);
}
