#include "scalar_types.h"

template <typename T>
static void add_row(const T* part, float* sum, int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] += load(part + i);
}

static void add_typed_row(int type, const void* part, float* sum, int64_t n) {
  switch (type) {
    case ITO_F32: return add_row(static_cast<const float*>(part), sum, n);
    case ITO_BF16: return add_row(static_cast<const bf16*>(part), sum, n);
    default: return add_row(static_cast<const f16*>(part), sum, n);
  }
}

template <typename T>
static void add_indexed(const T* part, const int64_t* indices, float* sum, int64_t row, int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[indices[i] * row + i] += load(part + i);
}

static void add_typed_indexed(int type, const void* part, const int64_t* indices, float* sum, int64_t row, int64_t n) {
  switch (type) {
    case ITO_F32: return add_indexed(static_cast<const float*>(part), indices, sum, row, n);
    case ITO_BF16: return add_indexed(static_cast<const bf16*>(part), indices, sum, row, n);
    default: return add_indexed(static_cast<const f16*>(part), indices, sum, row, n);
  }
}

template <typename T>
static void pick(const void* in, const int64_t* indices, void* out, int64_t row, int64_t n) {
  const T* source = static_cast<const T*>(in);
  T* target = static_cast<T*>(out);
  for (int64_t i = 0; i < n; i++) target[i] = source[indices[i] * row + i];
}

static void pick_indexed(int size, const void* in, const int64_t* indices, void* out, int64_t row, int64_t n) {
  switch (size) {
    case 1: return pick<uint8_t>(in, indices, out, row, n);
    case 2: return pick<uint16_t>(in, indices, out, row, n);
    case 4: return pick<uint32_t>(in, indices, out, row, n);
    default: return pick<uint64_t>(in, indices, out, row, n);
  }
}
