#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// Rotates the first 2·pairs of `features` elements of each vector by the angles of its token and
/// copies the rest. `in` and `out` are [outer, tokens, inner, features] of type f32 or bf16; the
/// tables [tables, tokens, pairs], of which vector o of `outer` uses number o·tables/outer.
/// Pair k is the elements (2k, 2k + 1) when `interleaved` is not 0, else (k, k + pairs):
/// (a, b) -> (a·cos − b·sin, b·cos + a·sin), with −sin when `inverse` is not 0.
void ito_rotary(int type, const void* in, void* out, int64_t outer, int64_t tokens, int64_t inner,
                int64_t features, int64_t pairs, int64_t tables, const float* cosines, const float* sines,
                int interleaved, int inverse);
#ifdef __cplusplus
}
#endif
