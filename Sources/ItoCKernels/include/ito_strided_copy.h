#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// Most axes `ito_strided_copy` takes.
enum { ITO_COPY_AXES = 16 };

/// Copies an array of `rank` axes of `dims` elements between two layouts:
/// out[Σ i·out_strides] = in[Σ i·in_strides] for every index i.
///
/// Strides count elements of `element_size` (1, 2, 4 or 8) bytes. `in` points at the element of
/// index 0 and its strides may be zero (broadcast) or negative (flip); those of `out` are positive
/// on axes longer than one and no two indices share an element. The arrays do not overlap.
/// One kernel for permute, slice, flip, broadcast, concatenate and pad: axes are put in the order of
/// the output, merged where both layouts agree, then copied in runs, as a blocked transpose, or
/// element by element.
void ito_strided_copy(int element_size, int rank, const int64_t* dims, const void* in,
                      const int64_t* in_strides, void* out, const int64_t* out_strides);

#ifdef __cplusplus
}
#endif
