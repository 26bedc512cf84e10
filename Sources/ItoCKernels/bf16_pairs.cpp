// Whether products of bfloat16 pairs pay, found by trying.
#include "bf16_pairs.h"

#include <cstdlib>

#include "include/ito_runtime.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <x86intrin.h>

namespace {

constexpr int kSums = 12, kSteps = 64, kTries = 32;

// Ticks of the best of some tries, each of kSteps times kSums independent multiply-adds. The two kinds take turns, so that
// both meet the same clock.
struct Ticks {
  unsigned long long pairs = ~0ull, floats = ~0ull;
};

__attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq"), noinline)) void time_pairs(Ticks& ticks) {
  __m512 sum[kSums];
  for (auto& s : sum) s = _mm512_setzero_ps();
  __m512i a = _mm512_set1_epi32(0x3f803f80), b = a;
  const unsigned long long start = __rdtsc();
  for (int i = 0; i < kSteps; i++) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma clang loop unroll(full)
    for (int j = 0; j < kSums; j++) sum[j] = _mm512_dpbf16_ps(sum[j], (__m512bh)a, (__m512bh)b);
  }
  for (auto& s : sum) asm volatile("" : : "v"(s));
  const unsigned long long taken = __rdtsc() - start;
  if (taken < ticks.pairs) ticks.pairs = taken;
}

__attribute__((target("avx512f"), noinline)) void time_floats(Ticks& ticks) {
  __m512 sum[kSums];
  for (auto& s : sum) s = _mm512_setzero_ps();
  __m512 a = _mm512_set1_ps(1.0f), b = a;
  const unsigned long long start = __rdtsc();
  for (int i = 0; i < kSteps; i++) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma clang loop unroll(full)
    for (int j = 0; j < kSums; j++) sum[j] = _mm512_fmadd_ps(a, b, sum[j]);
  }
  for (auto& s : sum) asm volatile("" : : "v"(s));
  const unsigned long long taken = __rdtsc() - start;
  if (taken < ticks.floats) ticks.floats = taken;
}

}  // namespace
#endif

bool bf16_pairs_pay() {
  if (const char* said = getenv("ITO_BF16_PAIRS"); said && *said) return *said == '1';
#if defined(__x86_64__)
  if (ito_isa_available() < ITO_ISA_AVX512_BF16) return false;
  Ticks ticks;
  for (int i = 0; i < kTries; i++) {
    time_pairs(ticks);
    time_floats(ticks);
  }
  // As many instructions of either do, paired, twice the work: processors seen have 1 or 4 times the ticks.
  return ticks.pairs < 2 * ticks.floats;
#else
  return false;
#endif
}
