#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// Adds a contiguous array `part` of [outer, count, inner] floating-point elements of type `type` to
/// a region of `whole`: whole[o·outer_stride + j·stride + i] += part[o, j, i], rounded once to
/// `type`. Strides count elements.
void ito_add_region(int type, int64_t outer, int64_t count, int64_t inner, const void* part, void* whole,
                    int64_t outer_stride, int64_t stride);
#ifdef __cplusplus
}
#endif
