#include <cstdint>
#include <cstring>

#define ITO_KERNELS "gather.inl"
#include "include/ito_gather.h"
#include "multiversion.h"

namespace {

constexpr int64_t kGrain = 65536;  // bytes that are worth a thread
constexpr int64_t kBlock = 1024;   // columns a unit of parallel work takes through all rows

int64_t size_of(int type) { return type == ITO_F32 ? 4 : 2; }

int64_t grain(int64_t bytes) { return bytes >= kGrain ? 1 : kGrain / (bytes > 0 ? bytes : 1); }

struct Job {
  const char* in;
  const int64_t* indices;
  char* out;
  int64_t rows, count, inner, size;
  int type;
  const int64_t *starts, *order;  // the positions j of each index, ascending
};

void gather_rows(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  for (int64_t i = begin; i < end; i++) {
    int64_t row = i / job.count * job.rows + job.indices[i % job.count];
    memcpy(job.out + i * job.inner, job.in + row * job.inner, size_t(job.inner));
  }
}

void scatter_rows(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  for (int64_t i = begin; i < end; i++) {
    int64_t o = i / job.rows, r = i % job.rows;
    float* sum = reinterpret_cast<float*>(job.out) + i * job.inner;
    memset(sum, 0, size_t(job.inner) * sizeof(float));
    for (int64_t k = job.starts[r]; k < job.starts[r + 1]; k++)
      ITO_DISPATCH(add_typed_row)(job.type, job.in + (o * job.count + job.order[k]) * job.inner * job.size, sum, job.inner);
  }
}

void gather_along(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  for (int64_t i = begin; i < end; i++) {
    const char* in = job.in + i / job.count * job.rows * job.inner * job.size;
    ITO_DISPATCH(pick_indexed)
    (int(job.size), in, job.indices + i * job.inner, job.out + i * job.inner * job.size, job.inner, job.inner);
  }
}

void scatter_along(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  int64_t blocks = (job.inner + kBlock - 1) / kBlock;
  for (int64_t i = begin; i < end; i++) {
    int64_t o = i / blocks, first = i % blocks * kBlock;
    int64_t n = job.inner - first < kBlock ? job.inner - first : kBlock;
    float* sum = reinterpret_cast<float*>(job.out) + o * job.rows * job.inner + first;
    for (int64_t r = 0; r < job.rows; r++) memset(sum + r * job.inner, 0, size_t(n) * sizeof(float));
    for (int64_t j = 0; j < job.count; j++) {
      int64_t at = (o * job.count + j) * job.inner + first;
      ITO_DISPATCH(add_typed_indexed)(job.type, job.in + at * job.size, job.indices + at, sum, job.inner, n);
    }
  }
}

}  // namespace

extern "C" {

int64_t ito_find_out_of_range(const int64_t* indices, int64_t count, int64_t bound) {
  for (int64_t i = 0; i < count; i++)
    if (indices[i] < 0 || indices[i] >= bound) return i;
  return -1;
}

void ito_gather_rows(const void* in, const int64_t* indices, void* out, int64_t outer, int64_t rows,
                     int64_t count, int64_t bytes) {
  Job job{};
  job.in = static_cast<const char*>(in);
  job.indices = indices;
  job.out = static_cast<char*>(out);
  job.rows = rows;
  job.count = count;
  job.inner = bytes;
  ito_parallel_for(outer * count, grain(bytes), gather_rows, &job);
}

void ito_scatter_add_rows(int type, const void* part, const int64_t* indices, float* out, int64_t outer,
                          int64_t rows, int64_t count, int64_t inner) {
  // A counting sort groups the positions by index and keeps their order, so that each row is summed
  // by one thread, in that order.
  size_t bytes = size_t(rows + 1 + count) * sizeof(int64_t);
  int64_t* starts = static_cast<int64_t*>(ito_alloc(bytes));
  int64_t* order = starts + rows + 1;
  memset(starts, 0, size_t(rows + 1) * sizeof(int64_t));
  for (int64_t j = 0; j < count; j++) starts[indices[j] + 1]++;
  for (int64_t r = 0; r < rows; r++) starts[r + 1] += starts[r];
  for (int64_t j = 0; j < count; j++) order[starts[indices[j]]++] = j;
  for (int64_t r = rows; r > 0; r--) starts[r] = starts[r - 1];
  starts[0] = 0;

  Job job{};
  job.in = static_cast<const char*>(part);
  job.out = reinterpret_cast<char*>(out);
  job.rows = rows;
  job.count = count;
  job.inner = inner;
  job.size = size_of(type);
  job.type = type;
  job.starts = starts;
  job.order = order;
  ito_parallel_for(outer * rows, grain(inner * 4), scatter_rows, &job);
  ito_free(starts, bytes);
}

void ito_gather_along(int element_size, const void* in, const int64_t* indices, void* out, int64_t outer,
                      int64_t rows, int64_t count, int64_t inner) {
  Job job{};
  job.in = static_cast<const char*>(in);
  job.indices = indices;
  job.out = static_cast<char*>(out);
  job.rows = rows;
  job.count = count;
  job.inner = inner;
  job.size = element_size;
  ito_parallel_for(outer * count, grain(inner * 8), gather_along, &job);
}

void ito_scatter_add_along(int type, const void* part, const int64_t* indices, float* out, int64_t outer,
                           int64_t rows, int64_t count, int64_t inner) {
  Job job{};
  job.in = static_cast<const char*>(part);
  job.indices = indices;
  job.out = reinterpret_cast<char*>(out);
  job.rows = rows;
  job.count = count;
  job.inner = inner;
  job.size = size_of(type);
  job.type = type;
  int64_t columns = inner < kBlock ? inner : kBlock;
  ito_parallel_for(outer * ((inner + kBlock - 1) / kBlock), grain((rows + count) * columns * 4), scatter_along, &job);
}

}  // extern "C"
