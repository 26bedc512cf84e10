#include "scalar_types.h"

// A division, not a product with 1 / 127.5: 255 must give 1, with and without fused multiply-adds.
static inline float scaled(uint8_t pixel) { return (float(pixel) - 127.5f) / 127.5f; }

template <typename D>
static void gather_picture(const uint8_t* in, int64_t height, int64_t width, int64_t channels,
                           const ito_picture_pick& pick, void* result) {
  D* out = static_cast<D*>(result);
  const bool whole = !pick.flip && pick.right == 0 && pick.down == 0;
  if (whole) {
    for (int64_t i = 0; i < height * width * channels; i++) store(out + i, scaled(in[i]));
    return;
  }
  for (int64_t y = 0; y < height; y++) {
    int64_t from = y - pick.down;
    from = from < 0 ? 0 : from >= height ? height - 1 : from;
    const uint8_t* row = in + from * width * channels;
    D* target = out + y * width * channels;
    for (int64_t x = 0; x < width; x++) {
      int64_t column = x - pick.right;
      column = column < 0 ? 0 : column >= width ? width - 1 : column;
      if (pick.flip) column = width - 1 - column;
      for (int64_t c = 0; c < channels; c++) {
        store(target + x * channels + c, scaled(row[column * channels + c]));
      }
    }
  }
}

static void gather_range(const Pictures& p, int64_t begin, int64_t end) {
  const int64_t size = p.height * p.width * p.channels;
  for (int64_t b = begin; b < end; b++) {
    const uint8_t* in = p.store + p.picks[b].index * size;
    if (p.dtype == ITO_BF16) {
      gather_picture<bf16>(in, p.height, p.width, p.channels, p.picks[b], static_cast<bf16*>(p.out) + b * size);
    } else {
      gather_picture<float>(in, p.height, p.width, p.channels, p.picks[b], static_cast<float*>(p.out) + b * size);
    }
  }
}

static void interleave_range(const Planes& p, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; b++) {
    const uint8_t* in = p.in + b * p.stride;
    uint8_t* out = p.out + b * p.channels * p.positions;
    if (p.channels == 3) {
      for (int64_t i = 0; i < p.positions; i++) {
        out[3 * i] = in[i];
        out[3 * i + 1] = in[p.positions + i];
        out[3 * i + 2] = in[2 * p.positions + i];
      }
    } else {
      for (int64_t i = 0; i < p.positions; i++)
        for (int64_t c = 0; c < p.channels; c++) out[i * p.channels + c] = in[c * p.positions + i];
    }
  }
}

// Eight lanes of multiply and fold. Each step is a bijection of the lane for a given word, so a lane
// that has once differed differs to the end unless a later word differs too.
static uint64_t checksum_block(const uint8_t* bytes, int64_t count, uint64_t seed) {
  const uint64_t prime = 0x9e3779b97f4a7c15ull;
  uint64_t lanes[8];
  for (int l = 0; l < 8; l++) lanes[l] = seed + prime * uint64_t(l + 1);
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    uint64_t words[8];
    __builtin_memcpy(words, bytes + i, 64);
    for (int l = 0; l < 8; l++) {
      uint64_t v = (lanes[l] ^ words[l]) * prime;
      lanes[l] = v ^ (v >> 32);
    }
  }
  if (i < count) {
    uint64_t words[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    __builtin_memcpy(words, bytes + i, size_t(count - i));
    for (int l = 0; l < 8; l++) {
      uint64_t v = (lanes[l] ^ words[l]) * prime;
      lanes[l] = v ^ (v >> 32);
    }
  }
  uint64_t sum = uint64_t(count);
  for (int l = 0; l < 8; l++) {
    sum = (sum ^ lanes[l]) * prime;
    sum ^= sum >> 29;
  }
  return sum;
}
