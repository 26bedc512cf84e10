#include <cstdint>

#define ITO_KERNELS "rotary.inl"
#include "include/ito_rotary.h"
#include "multiversion.h"

namespace {

struct Job {
  int type;
  const char* in;
  char* out;
  int64_t outer, tokens, inner, features, pairs, tables;
  const float *cosines, *sines;
  bool interleaved;
  float sign;
};

void rotate_tokens(void* ctx, int64_t begin, int64_t end) {
  const Job& job = *static_cast<Job*>(ctx);
  int64_t bytes = job.inner * job.features * (job.type == ITO_F32 ? 4 : 2);
  for (int64_t i = begin; i < end; i++) {
    int64_t o = i / job.tokens, t = i % job.tokens;
    int64_t row = (o * job.tables / job.outer * job.tokens + t) * job.pairs;
    ITO_DISPATCH(rotate_typed_vectors)
    (job.type, job.in + i * bytes, job.out + i * bytes, job.inner, job.features, job.pairs, job.cosines + row,
     job.sines + row, job.interleaved, job.sign);
  }
}

}  // namespace

extern "C" void ito_rotary(int type, const void* in, void* out, int64_t outer, int64_t tokens, int64_t inner,
                           int64_t features, int64_t pairs, int64_t tables, const float* cosines,
                           const float* sines, int interleaved, int inverse) {
  Job job{type,     static_cast<const char*>(in), static_cast<char*>(out), outer, tokens, inner, features, pairs,
          tables,   cosines, sines, interleaved != 0, inverse ? -1.0f : 1.0f};
  int64_t elements = inner * features;
  ito_parallel_for(outer * tokens, elements >= 16384 ? 1 : 16384 / (elements > 0 ? elements : 1), rotate_tokens, &job);
}
