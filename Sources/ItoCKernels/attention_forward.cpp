#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "attention_job.h"

#define ITO_KERNELS "attention_forward.inl"
#define ITO_KERNELS_ROUND_BF16
#include "multiversion.h"

namespace {

// The kernels of one level for one element type; bfloat16 has its own where the processor multiplies
// it, and is computed in float32 below.
struct Kernels {
  void (*forward)(const AttentionJob&, int64_t, int64_t);
  int64_t (*query_blocks)(int64_t);
};
#define ITO_TABLE(level) \
  Kernels{level::attention_forward_range, level::query_blocks}

Kernels single_kernels() {
#if defined(__x86_64__)
  if (ito_isa() >= ITO_ISA_AVX512) return ITO_TABLE(avx512);
  if (ito_isa() >= ITO_ISA_AVX2) return ITO_TABLE(avx2);
#endif
  return ITO_TABLE(portable);
}
Kernels pair_kernels() {
#if defined(__x86_64__)
  return ITO_TABLE(avx512bf16);
#else
  return single_kernels();
#endif
}
bool uses_pairs(const ito_attention& p) {
  return p.dtype == ITO_BF16 && ito_bf16_pairs_pay();
}

struct Call {
  AttentionJob job;
  Kernels kernels;
};

void run_forward(const AttentionJob& job, const Kernels& kernels) {
  const ito_attention& p = *job.p;
  int64_t blocks = kernels.query_blocks(p.queries);
  int64_t units = p.batch * p.heads * blocks;
  // A range is worth a thread from about a million multiply-adds on.
  int64_t work = divide_up(p.queries, blocks ? blocks : 1) * p.keys * p.head_dim * 2;
  Call call{job, kernels};
  ito_parallel_for(
      units, divide_up(1000000, work + 1),
      [](void* ctx, int64_t begin, int64_t end) {
        const Call& c = *static_cast<Call*>(ctx);
        c.kernels.forward(c.job, begin, end);
      },
      &call);
}

}  // namespace

extern "C" {

void ito_attention_forward(const ito_attention* p, ito_attention_in q, ito_attention_in k, ito_attention_in v,
                           ito_attention_out out, float* lse) {
  AttentionJob job{};
  job.p = p;
  job.q = q;
  job.k = k;
  job.v = v;
  job.out = out;
  job.lse = lse;
  run_forward(job, uses_pairs(*p) ? pair_kernels() : single_kernels());
}

}  // extern "C"
