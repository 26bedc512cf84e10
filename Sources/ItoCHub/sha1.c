#include "ito_sha1.h"

#include <string.h>

static uint32_t rotated(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void compress(uint32_t state[5], const uint8_t *p) {
  uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; i++)
    w[i] = i < 16 ? (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3]
                  : rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f, k;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    const uint32_t t = rotated(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = t;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

void ito_sha1_begin(ito_sha1 *hash) {
  static const uint32_t first[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  memset(hash, 0, sizeof *hash);
  memcpy(hash->state, first, sizeof first);
}

void ito_sha1_add(ito_sha1 *hash, const void *bytes, int64_t count) {
  const uint8_t *p = bytes;
  while (count > 0) {
    const int64_t held = (int64_t)(hash->length % 64), taken = count < 64 - held ? count : 64 - held;
    memcpy(hash->block + held, p, (size_t)taken);
    hash->length += (uint64_t)taken;
    p += taken;
    count -= taken;
    if (held + taken == 64) compress(hash->state, hash->block);
  }
}

void ito_sha1_end(ito_sha1 *hash, uint8_t digest[20]) {
  const uint64_t bits = hash->length * 8;
  const uint8_t one = 0x80, zero = 0;
  ito_sha1_add(hash, &one, 1);
  while (hash->length % 64 != 56) ito_sha1_add(hash, &zero, 1);
  uint8_t tail[8];
  for (int i = 0; i < 8; i++) tail[i] = (uint8_t)(bits >> (56 - 8 * i));
  ito_sha1_add(hash, tail, 8);
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
