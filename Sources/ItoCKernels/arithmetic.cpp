#include <cmath>
#include <cstdint>
#include <cstring>

#include "include/ito_arithmetic.h"

namespace {
struct BinaryJob {
  int op, dtype, rank;
  int64_t dims[8], sa[8], sb[8];
  const void* a;
  const void* b;
  void* out;
};
struct ReduceJob {
  int op, dtype;
  const void* in;
  float* partial;  // [outer, blocks, inner]
  int64_t length, inner, blocks, block_rows;
};
}  // namespace

#define ITO_KERNELS "arithmetic.inl"
#include "multiversion.h"

namespace {
// Elements one thread should get at least: fewer are done sooner alone.
constexpr int64_t kGrain = 32768;

// Merges neighbouring axes that both operands walk as one, and drops axes of one element.
void normalise(BinaryJob& job) {
  int rank = 0;
  for (int axis = 0; axis < job.rank; axis++) {
    if (job.dims[axis] == 1) continue;
    if (rank > 0 && job.sa[rank - 1] == job.sa[axis] * job.dims[axis] &&
        job.sb[rank - 1] == job.sb[axis] * job.dims[axis]) {
      job.dims[rank - 1] *= job.dims[axis];
      job.sa[rank - 1] = job.sa[axis];
      job.sb[rank - 1] = job.sb[axis];
      continue;
    }
    job.dims[rank] = job.dims[axis];
    job.sa[rank] = job.sa[axis];
    job.sb[rank] = job.sb[axis];
    rank++;
  }
  if (rank == 0) {
    job.dims[0] = 1;
    job.sa[0] = job.sb[0] = 0;
    rank = 1;
  }
  job.rank = rank;
}
}  // namespace

extern "C" void ito_binary(int op, int dtype, int rank, const int64_t* dims, const int64_t* sa,
                           const int64_t* sb, const void* a, const void* b, void* out) {
  BinaryJob job{op, dtype, rank, {}, {}, {}, a, b, out};
  int64_t count = 1;
  for (int i = 0; i < rank; i++) {
    job.dims[i] = dims[i];
    job.sa[i] = sa[i];
    job.sb[i] = sb[i];
    count *= dims[i];
  }
  if (count == 0) return;
  normalise(job);
  int64_t run = job.rank == 1 ? 1 : job.dims[job.rank - 1];
  ito_parallel_for(
      count / run, kGrain / run + 1,
      [](void* ctx, int64_t begin, int64_t end) {
        ITO_DISPATCH(binary_range)(*static_cast<BinaryJob*>(ctx), begin, end);
      },
      &job);
}

extern "C" void ito_affine(int dtype, const void* in, void* out, int64_t count, float scale, float shift) {
  struct Job {
    int dtype, size;
    const char* in;
    char* out;
    float scale, shift;
  } job{dtype, dtype == ITO_BF16 ? 2 : 4, static_cast<const char*>(in), static_cast<char*>(out), scale, shift};
  ito_parallel_for(
      count, kGrain,
      [](void* ctx, int64_t begin, int64_t end) {
        const Job& j = *static_cast<Job*>(ctx);
        ITO_DISPATCH(affine_range)(j.dtype, j.in + begin * j.size, j.out + begin * j.size, end - begin, j.scale, j.shift);
      },
      &job);
}

extern "C" void ito_select(const uint8_t* condition, const void* a, const void* b, void* out, int64_t count,
                           int size) {
  const char* left = static_cast<const char*>(a);
  const char* right = static_cast<const char*>(b);
  char* to = static_cast<char*>(out);
  for (int64_t i = 0; i < count; i++)
    memcpy(to + i * size, (condition[i] ? left : right) + i * size, size_t(size));
}

extern "C" void ito_reduce(int op, int dtype, const void* in, float* out, int64_t outer, int64_t length,
                           int64_t inner) {
  if (outer * inner == 0) return;
  // Blocks depend on the sizes only. Long reductions are cut so that rounding errors stay small and
  // a single column can still use every thread.
  int64_t block_rows = inner == 1 ? 16384 : inner >= 4096 ? 256 : 1024;
  int64_t blocks = length == 0 ? 1 : (length + block_rows - 1) / block_rows;
  size_t partial_bytes = size_t(outer * blocks * inner) * sizeof(float);
  float* partial = blocks == 1 ? out : static_cast<float*>(ito_alloc(partial_bytes));
  ReduceJob job{op, dtype, in, partial, length, inner, blocks, block_rows};
  int64_t work = (length < block_rows ? length : block_rows) * inner;
  ito_parallel_for(
      outer * blocks, kGrain / (work > 0 ? work : 1) + 1,
      [](void* ctx, int64_t begin, int64_t end) {
        ITO_DISPATCH(reduce_range)(*static_cast<ReduceJob*>(ctx), begin, end);
      },
      &job);
  if (blocks == 1) return;
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t c = 0; c < inner; c++) {
      const float* column = partial + o * blocks * inner + c;
      double total = column[0];
      for (int64_t b = 1; b < blocks; b++) {
        double value = column[b * inner];
        if (op == ITO_SUM) total += value;
        else if (op == ITO_MAXIMUM ? value > total || value != value : value < total || value != value) total = value;
      }
      out[o * inner + c] = float(total);
    }
  }
  ito_free(partial, partial_bytes);
}
