#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// Converts `count` elements of type `from` to type `to` (ITO_F32 …). Floats round to nearest even;
/// float to integer truncates toward zero and saturates, NaN gives 0. Reads 1x, writes 1x.
void ito_convert(const void* in, int from, void* out, int to, int64_t count);
#ifdef __cplusplus
}
#endif
