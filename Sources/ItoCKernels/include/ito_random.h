#pragma once
// Random numbers: the Mersenne twister and normal transform of torch's CPU generator, and the
// counter-based Philox 4x32-10. Every result is the same bits on every processor, except those of
// ITO_NORMAL_SCALAR, which are the C library's.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { ITO_MT19937_WORDS = 624 };

/// Fills the 624 words of `state` from `seed`. The position that goes with it is 624.
void ito_mt19937_seed(uint32_t* state, uint32_t seed);
/// Writes the next `count` words; `position` counts the words of `state` used up, in [0, 624].
/// Returns the new position. Source: Matsumoto and Nishimura 1998, ACM TOMACS 8(1).
int ito_mt19937_words(uint32_t* state, int position, uint32_t* out, int64_t count);
/// The same words as floats in [0, 1): the low 24 bits of each.
int ito_mt19937_uniform(uint32_t* state, int position, float* out, int64_t count);

/// How ITO_NORMAL_VECTOR's logarithm, sine and cosine are computed: polynomials with fused
/// multiply-adds, or the C library.
enum { ITO_NORMAL_VECTOR = 0, ITO_NORMAL_SCALAR = 1 };
/// Turns uniforms in [0, 1) into unit normals in place, by Box-Muller within blocks of 16: elements
/// j and j + 8 of a block are a pair. `count` is a multiple of 16.
void ito_normal_blocks(float* values, int64_t count, int variant);
/// Two unit normals from two uniforms in [0, 1), in double precision.
void ito_normal_pair(double u1, double u2, double* first, double* second);

/// Philox 4x32-10 of counter (c0, c1, c2, c3) and `key`: four words.
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11.
void ito_philox(uint64_t key, const uint32_t* counter, uint32_t* out);
/// `count` floats in [0, 1) from the counters (position, 0), (position + 1, 0), … Groups of 32
/// elements take 8 counters: element 8w + l of a group is the top 24 bits of word w of counter l.
void ito_philox_uniform(uint64_t key, uint64_t position, float* out, int64_t count);
/// `count` unit normals from the same counters: of each counter, words 0 and 1 give elements l and
/// 8 + l of the group, words 2 and 3 give elements 16 + l and 24 + l.
void ito_philox_normal(uint64_t key, uint64_t position, float* out, int64_t count);
/// `count` floats in [0, 1) as a CUDA kernel with one thread per element draws them: element i comes
/// from counter (offset, i), each 64 bits.
void ito_philox_uniform_cuda(uint64_t key, uint64_t offset, float* out, int64_t count);
/// `count` unit normals from the same counters.
void ito_philox_normal_cuda(uint64_t key, uint64_t offset, float* out, int64_t count);

#ifdef __cplusplus
}
#endif
