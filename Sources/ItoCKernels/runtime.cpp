#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "bf16_pairs.h"
#include "include/ito_runtime.h"

// The one entry of the OpenMP run time we need; oneDNN's pool is the same one, so two pools never
// fight for the cores.
extern "C" void GOMP_parallel(void (*fn)(void*), void* data, unsigned threads, unsigned flags);
extern "C" int omp_get_thread_num(void);
extern "C" int omp_get_num_threads(void);
extern "C" int omp_in_parallel(void);
extern "C" void omp_set_num_threads(int);

namespace {

int detect_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vnni");
  bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  return bf16 ? ITO_ISA_AVX512_BF16 : avx512 ? ITO_ISA_AVX512 : avx2 ? ITO_ISA_AVX2 : ITO_ISA_PORTABLE;
#else
  return ITO_ISA_PORTABLE;
#endif
}

int requested_isa() {
  const char* name = getenv("ITO_ISA");
  if (!name) return ITO_ISA_AVX512_BF16;
  if (!strcmp(name, "portable")) return ITO_ISA_PORTABLE;
  if (!strcmp(name, "avx2")) return ITO_ISA_AVX2;
  if (!strcmp(name, "avx512")) return ITO_ISA_AVX512;
  return ITO_ISA_AVX512_BF16;
}

std::atomic<int> isa_level{-1}, pairs_pay{-1};
std::atomic<int> thread_count{0};
thread_local int bound_threads = 0;

int default_threads() {
  if (const char* text = getenv("ITO_THREADS")) {
    int n = atoi(text);
    if (n >= 1) return n;
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    int n = CPU_COUNT(&set);
    if (n >= 1) return n;
  }
  return 1;
}

struct Fan {
  int64_t count;
  void (*body)(void*, int64_t, int64_t);
  void* ctx;
};

void run_share(void* data) {
  const Fan& fan = *static_cast<Fan*>(data);
  int64_t n = omp_get_num_threads(), i = omp_get_thread_num();
  int64_t begin = fan.count * i / n, end = fan.count * (i + 1) / n;
  if (begin < end) fan.body(fan.ctx, begin, end);
}

}  // namespace

extern "C" {

void ito_attachment_destroy(void* object) {
  ito_attachment* header = static_cast<ito_attachment*>(object);
  header->destroy(header);
}

int ito_isa_available(void) {
  static const int level = detect_isa();
  return level;
}

int ito_isa(void) {
  int level = isa_level.load(std::memory_order_relaxed);
  return level >= 0 ? level : ito_set_isa(requested_isa());
}

int ito_set_isa(int level) {
  int best = ito_isa_available();
  int now = level < best ? level : best;
  isa_level.store(now < 0 ? 0 : now, std::memory_order_relaxed);
  return now;
}

int ito_bf16_pairs_pay(void) {
  int pay = pairs_pay.load(std::memory_order_relaxed);
  if (pay < 0) {
    pay = bf16_pairs_pay();
    pairs_pay.store(pay, std::memory_order_relaxed);
  }
  return pay && ito_isa() >= ITO_ISA_AVX512_BF16;
}

void ito_set_bf16_pairs_pay(int pay) { pairs_pay.store(pay ? 1 : 0, std::memory_order_relaxed); }

int ito_threads(void) {
  int n = thread_count.load(std::memory_order_relaxed);
  if (n == 0) {
    n = default_threads();
    thread_count.store(n, std::memory_order_relaxed);
  }
  return n;
}

void ito_set_threads(int count) {
  thread_count.store(count < 1 ? 1 : count, std::memory_order_relaxed);
}

void ito_bind_threads(void) {
  int n = ito_threads();
  if (bound_threads != n) {
    omp_set_num_threads(n);
    bound_threads = n;
  }
}

void ito_parallel_for(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* ctx) {
  if (count <= 0) return;
  if (grain < 1) grain = 1;
  int64_t ranges = count / grain;
  int threads = ito_threads();
  if (ranges > threads) ranges = threads;
  if (ranges <= 1 || omp_in_parallel()) {
    body(ctx, 0, count);
    return;
  }
  Fan fan{count, body, ctx};
  GOMP_parallel(run_share, &fan, (unsigned)ranges, 0);
}

}  // extern "C"
