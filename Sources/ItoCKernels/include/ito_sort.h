#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// For each line of `in`, an array [outer, length, inner] of elements of type `type` (ITO_F32 …), the
/// positions along it of its first `count` elements in order: ascending, or descending when
/// `descending` is not 0; equal elements in order of position, NaN after all numbers either way.
/// `positions` is [outer, count, inner]. `length` is below 2³². Cost: length·log(count) a line.
void ito_sort(int type, const void* in, int64_t outer, int64_t length, int64_t inner, int descending,
              int64_t count, int64_t* positions);
#ifdef __cplusplus
}
#endif
