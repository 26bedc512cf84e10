// Whether products of bfloat16 pairs pay, found by trying.
#include "bf16_pairs.h"

#include <algorithm>
#include <cstdlib>

#include "include/ito_runtime.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <x86intrin.h>

namespace {

constexpr int kSums = 12, kSteps = 64, kTries = 32;

// Ticks of kSteps times kSums independent multiply-adds, of pairs or of floats.
template <bool pairs>
__attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq"), noinline)) unsigned long long ticks() {
  __m512 sum[kSums], a = _mm512_set1_ps(1.0f), b = a;
  for (auto& s : sum) s = _mm512_setzero_ps();
  const unsigned long long start = __rdtsc();
  for (int i = 0; i < kSteps; i++) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma clang loop unroll(full)
    for (int j = 0; j < kSums; j++) {
      if constexpr (pairs)
        sum[j] = _mm512_dpbf16_ps(sum[j], (__m512bh)a, (__m512bh)b);
      else
        sum[j] = _mm512_fmadd_ps(a, b, sum[j]);
    }
  }
  for (auto& s : sum) asm volatile("" : : "v"(s));
  return __rdtsc() - start;
}

}  // namespace
#endif

bool bf16_pairs_pay() {
  const char* said = getenv("ITO_BF16_PAIRS");  // 0 or 1; anything else leaves it to the clock
  if (said && (*said == '0' || *said == '1') && !said[1]) return *said == '1';
#if defined(__x86_64__)
  if (ito_isa_available() < ITO_ISA_AVX512_BF16) return false;
  // The best of some tries, in turn, so that both meet the same clock.
  unsigned long long of_pairs = ~0ull, of_floats = ~0ull;
  for (int i = 0; i < kTries; i++) {
    of_pairs = std::min(of_pairs, ticks<true>());
    of_floats = std::min(of_floats, ticks<false>());
  }
  // As many instructions of either do, paired, twice the work: processors seen have 1 or 4 times the ticks.
  return of_pairs < 2 * of_floats;
#else
  return false;
#endif
}
