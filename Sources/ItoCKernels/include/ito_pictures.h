#pragma once
// What feeds training: pictures out of a store of 8-bit pixels, and a checksum for files that a later
// run maps back.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// One picture of a batch: which one, and how it is moved on the way out.
typedef struct {
  int64_t index;           // in the store
  int32_t right, down;     // shift in pixels; uncovered pixels repeat the edge
  int32_t flip;            // non-zero: mirrored left to right, before the shift
} ito_picture_pick;

/// out[b, y, x, c] = store[picks[b].index, y - down, x - right, c] / 127.5 - 1, clamped to the edge.
/// `store` is [pictures, height, width, channels]; `out` is F32 or BF16. Reads 1x, writes 4x or 2x.
void ito_gather_pictures(const uint8_t* store, int64_t height, int64_t width, int64_t channels,
                         const ito_picture_pick* picks, int64_t count, int dtype, void* out);

/// [pictures, channels, positions] to [pictures, positions, channels], bytes. `stride` is the
/// distance between pictures in `in`, at least channels * positions.
void ito_interleave_planes(const uint8_t* in, int64_t stride, uint8_t* out, int64_t pictures,
                           int64_t channels, int64_t positions);

/// A 64-bit checksum of `count` bytes, the same on every processor and for every thread count. It
/// finds every change confined to eight aligned bytes; it is not a cryptographic hash.
uint64_t ito_checksum(const void* bytes, int64_t count);
#ifdef __cplusplus
}
#endif
