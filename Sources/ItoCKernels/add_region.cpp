#include <cstdint>

#define ITO_KERNELS "add_region.inl"
#include "include/ito_add_region.h"
#include "multiversion.h"

namespace {

constexpr int64_t kChunk = 8192;  // elements of a run that one unit of parallel work adds

struct Job {
  int type;
  int64_t size, count, inner, outer_stride, stride, chunks;
  const char* part;
  char* whole;
};

void add_chunks(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  for (int64_t i = begin; i < end; i++) {
    int64_t run = i / job.chunks, first = i % job.chunks * kChunk;
    int64_t n = job.inner - first < kChunk ? job.inner - first : kChunk;
    int64_t at = run / job.count * job.outer_stride + run % job.count * job.stride + first;
    ITO_DISPATCH(add_run)(job.type, job.part + (run * job.inner + first) * job.size, job.whole + at * job.size, n);
  }
}

}  // namespace

extern "C" void ito_add_region(int type, int64_t outer, int64_t count, int64_t inner, const void* part,
                               void* whole, int64_t outer_stride, int64_t stride) {
  if (outer == 0 || count == 0 || inner == 0) return;
  if (count > 1 && stride == inner) {
    inner *= count;
    count = 1;
  }
  Job job{type, type == ITO_F32 ? 4 : 2, count, inner, outer_stride, stride, (inner + kChunk - 1) / kChunk,
          static_cast<const char*>(part), static_cast<char*>(whole)};
  int64_t elements = inner < kChunk ? inner : kChunk;
  ito_parallel_for(outer * count * job.chunks, 2 * kChunk / elements, add_chunks, &job);
}
