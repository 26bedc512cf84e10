#include "include/ito_pictures.h"

#include <cstdint>
#include <cstring>

#include "include/ito_runtime.h"

namespace {
struct Pictures {
  const uint8_t* store;
  int64_t height, width, channels;
  const ito_picture_pick* picks;
  int dtype;
  void* out;
};
struct Planes {
  const uint8_t* in;
  int64_t stride;
  uint8_t* out;
  int64_t channels, positions;
};
}  // namespace

#define ITO_KERNELS "pictures.inl"
#include "multiversion.h"

namespace {
// Work of about 64k elements is worth another thread.
int64_t grain(int64_t elements) { return elements >= 65536 ? 1 : 65536 / (elements > 0 ? elements : 1); }

// Blocks of a fixed size, summed in order: the result does not depend on the threads.
const int64_t kBlock = 1 << 20;
const int64_t kBlocksAtOnce = 256;
struct Checksum {
  const uint8_t* bytes;
  int64_t count, first;
  uint64_t* sums;
};
}  // namespace

extern "C" {

void ito_gather_pictures(const uint8_t* store, int64_t height, int64_t width, int64_t channels,
                         const ito_picture_pick* picks, int64_t count, int dtype, void* out) {
  Pictures job{store, height, width, channels, picks, dtype, out};
  ito_parallel_for(
      count, grain(height * width * channels),
      [](void* ctx, int64_t begin, int64_t end) {
        ITO_DISPATCH(gather_range)(*static_cast<Pictures*>(ctx), begin, end);
      },
      &job);
}

void ito_interleave_planes(const uint8_t* in, int64_t stride, uint8_t* out, int64_t pictures,
                           int64_t channels, int64_t positions) {
  Planes job{in, stride, out, channels, positions};
  ito_parallel_for(
      pictures, grain(channels * positions),
      [](void* ctx, int64_t begin, int64_t end) {
        ITO_DISPATCH(interleave_range)(*static_cast<Planes*>(ctx), begin, end);
      },
      &job);
}

uint64_t ito_checksum(const void* bytes, int64_t count) {
  uint64_t sums[kBlocksAtOnce];
  uint64_t total = 0x243f6a8885a308d3ull ^ uint64_t(count);
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  for (int64_t first = 0; first < blocks; first += kBlocksAtOnce) {
    const int64_t batch = blocks - first < kBlocksAtOnce ? blocks - first : kBlocksAtOnce;
    Checksum job{static_cast<const uint8_t*>(bytes), count, first, sums};
    ito_parallel_for(
        batch, 4,
        [](void* ctx, int64_t begin, int64_t end) {
          Checksum& j = *static_cast<Checksum*>(ctx);
          for (int64_t b = begin; b < end; b++) {
            const int64_t at = (j.first + b) * kBlock;
            const int64_t left = j.count - at;
            j.sums[b] = ITO_DISPATCH(checksum_block)(j.bytes + at, left < kBlock ? left : kBlock,
                                                     uint64_t(j.first + b));
          }
        },
        &job);
    for (int64_t b = 0; b < batch; b++) {
      total = (total ^ sums[b]) * 0xd6e8feb86659fd93ull;
      total ^= total >> 32;
    }
  }
  return total;
}

}  // extern "C"
