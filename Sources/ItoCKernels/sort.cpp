#include <algorithm>
#include <cstdint>
#include <cstring>

#include "include/ito_runtime.h"
#include "include/ito_sort.h"

namespace {
#include "scalar_types.h"

// Elements are mapped to unsigned keys that sort as they do, and each key is sorted together with
// its position: no two are equal, so any sort is stable.
struct Wide {
  uint64_t key;
  int64_t position;
  bool operator<(const Wide& other) const {
    return key != other.key ? key < other.key : position < other.position;
  }
};

uint64_t joined(uint32_t key, int64_t position) { return uint64_t(key) << 32 | uint64_t(position); }
int64_t position_of(uint64_t item) { return int64_t(item & 0xffffffffu); }
int64_t position_of(const Wide& item) { return item.position; }

uint32_t float_key(float v, bool descending) {
  if (v != v) return 0xffffffffu;
  v += 0.0f;  // -0 sorts as 0
  uint32_t bits;
  memcpy(&bits, &v, 4);
  uint32_t key = bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
  return descending ? ~key : key;
}
uint32_t integer_key(int64_t v, bool descending) {
  uint32_t key = uint32_t(v) ^ 0x80000000u;
  return descending ? ~key : key;
}

template <typename T>
struct Reader {
  typedef uint64_t Item;
  static Item item(const T& v, int64_t i, bool descending) { return joined(integer_key(v, descending), i); }
};
template <typename T>
struct FloatReader {
  typedef uint64_t Item;
  static Item item(const T& v, int64_t i, bool descending) { return joined(float_key(load(&v), descending), i); }
};
template <>
struct Reader<float> : FloatReader<float> {};
template <>
struct Reader<bf16> : FloatReader<bf16> {};
template <>
struct Reader<f16> : FloatReader<f16> {};
template <>
struct Reader<int64_t> {
  typedef Wide Item;
  static Item item(const int64_t& v, int64_t i, bool descending) {
    uint64_t key = uint64_t(v) ^ 0x8000000000000000u;
    return Wide{descending ? ~key : key, i};
  }
};

struct Job {
  int type;
  const void* in;
  int64_t length, inner, count;
  bool descending;
  int64_t* positions;
};

template <typename T>
void sort_lines(const Job& job, int64_t begin, int64_t end) {
  typedef typename Reader<T>::Item Item;
  size_t bytes = size_t(job.length) * sizeof(Item);
  Item* items = static_cast<Item*>(ito_alloc(bytes));
  for (int64_t line = begin; line < end; line++) {
    int64_t o = line / job.inner, i = line % job.inner;
    const T* in = static_cast<const T*>(job.in) + o * job.length * job.inner + i;
    int64_t* out = job.positions + o * job.count * job.inner + i;
    for (int64_t j = 0; j < job.length; j++) items[j] = Reader<T>::item(in[j * job.inner], j, job.descending);
    if (job.count == 1)
      items[0] = *std::min_element(items, items + job.length);
    else if (job.count < job.length)
      std::partial_sort(items, items + job.count, items + job.length);
    else
      std::sort(items, items + job.length);
    for (int64_t j = 0; j < job.count; j++) out[j * job.inner] = position_of(items[j]);
  }
  ito_free(items, bytes);
}

void sort_range(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  switch (job.type) {
    case ITO_F32: return sort_lines<float>(job, begin, end);
    case ITO_BF16: return sort_lines<bf16>(job, begin, end);
    case ITO_F16: return sort_lines<f16>(job, begin, end);
    case ITO_I8: return sort_lines<int8_t>(job, begin, end);
    case ITO_I32: return sort_lines<int32_t>(job, begin, end);
    case ITO_I64: return sort_lines<int64_t>(job, begin, end);
    default: return sort_lines<uint8_t>(job, begin, end);
  }
}

}  // namespace

extern "C" void ito_sort(int type, const void* in, int64_t outer, int64_t length, int64_t inner, int descending,
                         int64_t count, int64_t* positions) {
  if (length == 0 || count == 0) return;
  Job job{type, in, length, inner, count, descending != 0, positions};
  ito_parallel_for(outer * inner, 16384 / length + 1, sort_range, &job);
}
