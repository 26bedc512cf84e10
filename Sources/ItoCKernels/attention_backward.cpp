#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "attention_job.h"

#define ITO_KERNELS "attention_backward.inl"
#define ITO_KERNELS_ROUND_BF16
#include "multiversion.h"

namespace {

struct Kernels {
  void (*backward)(const AttentionJob&, int64_t, int64_t);
  void (*sum)(const AttentionJob&, int64_t, int64_t);
  void (*bias)(const AttentionJob&, int64_t, int64_t);
  int64_t (*query_blocks)(int64_t);
  int64_t (*pitch)(int64_t);
};
#define ITO_TABLE(level)                                                                              \
  Kernels{level::attention_backward_range, level::attention_sum_range, level::attention_bias_range, \
          level::query_blocks, level::partial_pitch}

Kernels kernels_for(const ito_attention& p) {
#if defined(__x86_64__)
  if (p.dtype == ITO_BF16 && ito_bf16_pairs_pay()) return ITO_TABLE(avx512bf16);
  if (ito_isa() >= ITO_ISA_AVX512) return ITO_TABLE(avx512);
  if (ito_isa() >= ITO_ISA_AVX2) return ITO_TABLE(avx2);
#endif
  (void)p;
  return ITO_TABLE(portable);
}

struct Call {
  AttentionJob job;
  void (*run)(const AttentionJob&, int64_t, int64_t);
};
void fan_out(const AttentionJob& job, int64_t units, int64_t work, void (*run)(const AttentionJob&, int64_t, int64_t)) {
  Call call{job, run};
  // A range is worth a thread from about a million multiply-adds on.
  ito_parallel_for(
      units, divide_up(1000000, work + 1),
      [](void* ctx, int64_t begin, int64_t end) {
        const Call& c = *static_cast<Call*>(ctx);
        c.run(c.job, begin, end);
      },
      &call);
}

}  // namespace

extern "C" void ito_attention_backward(const ito_attention* p, ito_attention_in q, ito_attention_in k,
                                       ito_attention_in v, ito_attention_in out, ito_attention_in g,
                                       const float* lse, ito_attention_out dq, ito_attention_out dk,
                                       ito_attention_out dv, float* dbias) {
  AttentionJob job{};
  job.p = p;
  job.q = q;
  job.k = k;
  job.v = v;
  job.o = out;
  job.g = g;
  job.dq = dq;
  job.dk = dk;
  job.dv = dv;
  job.lse = const_cast<float*>(lse);
  job.dbias = dbias;
  Kernels kernels = kernels_for(*p);

  // Key heads share nothing, so each is one unit; with few of them per thread each is cut up.
  int64_t heads = p->batch * p->kv_heads, threads = ito_threads();
  int64_t blocks = kernels.query_blocks(p->queries) * (p->heads / p->kv_heads);
  int64_t chunks = heads % threads == 0 || heads >= 8 * threads ? 1 : divide_up(4 * threads, heads);
  job.chunks = chunks < blocks ? chunks : blocks < 1 ? 1 : blocks;
  int64_t work = p->queries * p->keys * p->head_dim * 5;
  size_t partial = job.chunks == 1 ? 0 : size_t(heads * job.chunks * 2 * p->keys * kernels.pitch(p->head_dim)) * 4;
  if (partial) job.partial = static_cast<float*>(ito_alloc(partial));
  fan_out(job, heads * job.chunks, work * (p->heads / p->kv_heads) / job.chunks, kernels.backward);
  if (partial) {
    fan_out(job, heads * p->keys, job.chunks * p->head_dim * 16, kernels.sum);
    ito_free(job.partial, partial);
  }
  if (dbias) {
    int64_t planes = (p->bias_batch ? p->batch : 1) * (p->bias_head ? p->heads : 1);
    fan_out(job, planes * kernels.query_blocks(p->queries), work, kernels.bias);
  }
}
