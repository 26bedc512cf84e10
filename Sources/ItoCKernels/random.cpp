#include <cmath>
#include <cstdint>
#include <cstring>

// The published bits depend on which operations are fused: only those written as `fma`.
#pragma clang fp contract(off)

#define ITO_KERNELS "random.inl"
#include "include/ito_random.h"
#include "multiversion.h"

namespace {

template <typename T>
int take(uint32_t* state, int position, T* out, int64_t count, void (*temper)(const uint32_t*, T*, int64_t)) {
  while (count > 0) {
    if (position == ITO_MT19937_WORDS) {
      ITO_DISPATCH(twist)(state);
      position = 0;
    }
    int64_t n = ITO_MT19937_WORDS - position;
    if (n > count) n = count;
    temper(state + position, out, n);
    position += int(n);
    out += n;
    count -= n;
  }
  return position;
}

// What torch computes where it has no vector math: the angle in double precision, the rest by the
// C library in single.
void normal_blocks_scalar(float* values, int64_t blocks) {
  for (int64_t b = 0; b < blocks; b++, values += 16) {
    for (int j = 0; j < 8; j++) {
      float r = sqrtf(-2.0f * logf(1.0f - values[j]));
      float theta = float(6.2831853071795864769 * double(values[j + 8]));
      values[j] = r * cosf(theta);
      values[j + 8] = r * sinf(theta);
    }
  }
}

void philox_fill(uint64_t key, uint64_t position, float* out, int64_t count, bool normal) {
  struct Job {
    uint64_t key, position;
    float* out;
    int64_t count;
    bool normal;
  } job{key, position, out, count, normal};
  ito_parallel_for(
      (count + 31) / 32, 512,
      [](void* ctx, int64_t begin, int64_t end) {
        const Job& j = *static_cast<Job*>(ctx);
        ITO_DISPATCH(philox_groups)(j.key, j.position, j.out, j.count, begin, end, j.normal);
      },
      &job);
}

void cuda_fill(uint64_t key, uint64_t offset, float* out, int64_t count, float (*value)(const uint32_t*)) {
  struct Job {
    uint64_t key, offset;
    float* out;
    float (*value)(const uint32_t*);
  } job{key, offset, out, value};
  ito_parallel_for(
      count, 1024,
      [](void* ctx, int64_t begin, int64_t end) {
        const Job& j = *static_cast<Job*>(ctx);
        for (int64_t i = begin; i < end; i++) {
          uint32_t counter[4] = {uint32_t(j.offset), uint32_t(j.offset >> 32), uint32_t(i), uint32_t(i >> 32)};
          uint32_t words[4];
          ito_philox(j.key, counter, words);
          j.out[i] = j.value(words);
        }
      },
      &job);
}

}  // namespace

extern "C" {

void ito_mt19937_seed(uint32_t* state, uint32_t seed) {
  state[0] = seed;
  for (uint32_t i = 1; i < ITO_MT19937_WORDS; i++)
    state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
}

int ito_mt19937_words(uint32_t* state, int position, uint32_t* out, int64_t count) {
  return take(state, position, out, count, ITO_DISPATCH(temper_words));
}

int ito_mt19937_uniform(uint32_t* state, int position, float* out, int64_t count) {
  return take(state, position, out, count, ITO_DISPATCH(temper_uniform));
}

void ito_normal_blocks(float* values, int64_t count, int variant) {
  struct Job {
    float* values;
    int variant;
  } job{values, variant};
  ito_parallel_for(
      count / 16, 1024,
      [](void* ctx, int64_t begin, int64_t end) {
        const Job& j = *static_cast<Job*>(ctx);
        if (j.variant == ITO_NORMAL_SCALAR)
          normal_blocks_scalar(j.values + 16 * begin, end - begin);
        else
          ITO_DISPATCH(normal_blocks)(j.values + 16 * begin, end - begin);
      },
      &job);
}

void ito_normal_pair(double u1, double u2, double* first, double* second) {
  double r = sqrt(-2.0 * log1p(-u2)), theta = 6.2831853071795864769 * u1;
  *first = r * cos(theta);
  *second = r * sin(theta);
}

void ito_philox(uint64_t key, const uint32_t* counter, uint32_t* out) {
  portable::uint8 c[4];
  for (int w = 0; w < 4; w++) c[w] = portable::uint8(counter[w]);
  portable::philox8(key, c);
  for (int w = 0; w < 4; w++) out[w] = c[w][0];
}

void ito_philox_uniform(uint64_t key, uint64_t position, float* out, int64_t count) {
  philox_fill(key, position, out, count, false);
}

void ito_philox_normal(uint64_t key, uint64_t position, float* out, int64_t count) {
  philox_fill(key, position, out, count, true);
}

void ito_philox_uniform_cuda(uint64_t key, uint64_t offset, float* out, int64_t count) {
  cuda_fill(key, offset, out, count, [](const uint32_t* g) {
    float u = fmaf(float(g[0]), 0x1p-32f, 0x1p-33f);
    return u == 1.0f ? 0.0f : u;
  });
}

// Differs from cuRAND in the last bits: the transform is in double precision, rounded once.
void ito_philox_normal_cuda(uint64_t key, uint64_t offset, float* out, int64_t count) {
  cuda_fill(key, offset, out, count, [](const uint32_t* g) {
    double u = g[0] * 0x1p-32 + 0x1p-33, v = (g[1] * 0x1p-32 + 0x1p-33) * 6.2831853071795864769;
    return float(sqrt(-2.0 * log(u)) * sin(v));
  });
}

}  // extern "C"
