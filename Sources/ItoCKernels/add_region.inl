#include "scalar_types.h"

template <typename T>
static void add_elements(const T* part, T* whole, int64_t n) {
  for (int64_t i = 0; i < n; i++) store(whole + i, load(whole + i) + load(part + i));
}

static void add_run(int type, const void* part, void* whole, int64_t n) {
  switch (type) {
    case ITO_F32: return add_elements(static_cast<const float*>(part), static_cast<float*>(whole), n);
    case ITO_BF16: return add_elements(static_cast<const bf16*>(part), static_cast<bf16*>(whole), n);
    default: return add_elements(static_cast<const f16*>(part), static_cast<f16*>(whole), n);
  }
}
