#include <cstdint>
#include <limits>

#define ITO_KERNELS "convert.inl"
#include "include/ito_convert.h"
#include "multiversion.h"

namespace {
const int kSize[] = {4, 2, 2, 1, 1, 4, 8, 1};
struct Job {
  const char* in;
  char* out;
  int from, to;
};
}  // namespace

extern "C" void ito_convert(const void* in, int from, void* out, int to, int64_t count) {
  Job job{static_cast<const char*>(in), static_cast<char*>(out), from, to};
  ito_parallel_for(
      count, 65536,
      [](void* ctx, int64_t begin, int64_t end) {
        const Job& j = *static_cast<Job*>(ctx);
        ITO_DISPATCH(convert_range)(j.in + begin * kSize[j.from], j.from, j.out + begin * kSize[j.to], j.to,
                                    end - begin);
      },
      &job);
}
