#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
// Look-ups by index and their adjoints. `indices` must have passed `ito_find_out_of_range`. Sums run
// in the order of the indices, whatever the number of threads.

/// The position of the first index outside [0, bound), -1 when there is none.
int64_t ito_find_out_of_range(const int64_t* indices, int64_t count, int64_t bound);

/// out[o, j] = in[o, indices[j]] for rows of `bytes` bytes; in is [outer, rows], out [outer, count].
void ito_gather_rows(const void* in, const int64_t* indices, void* out, int64_t outer, int64_t rows,
                     int64_t count, int64_t bytes);

/// out[o, r] = Σ part[o, j] over the j with indices[j] = r, in float32; rows of `inner` elements.
/// `part` is [outer, count, inner] of type f32, bf16 or f16, out [outer, rows, inner].
void ito_scatter_add_rows(int type, const void* part, const int64_t* indices, float* out, int64_t outer,
                          int64_t rows, int64_t count, int64_t inner);

/// out[o, j, i] = in[o, indices[o, j, i], i]; in is [outer, rows, inner], out and indices
/// [outer, count, inner].
void ito_gather_along(int element_size, const void* in, const int64_t* indices, void* out, int64_t outer,
                      int64_t rows, int64_t count, int64_t inner);

/// out[o, r, i] = Σ part[o, j, i] over the j with indices[o, j, i] = r, in float32.
void ito_scatter_add_along(int type, const void* part, const int64_t* indices, float* out, int64_t outer,
                           int64_t rows, int64_t count, int64_t inner);
#ifdef __cplusplus
}
#endif
