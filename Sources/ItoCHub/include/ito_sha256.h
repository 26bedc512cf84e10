// SHA-256 (FIPS 180-4), with the processor's instructions for it where there are any.
#ifndef ITO_SHA256_H
#define ITO_SHA256_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
} ito_sha256;

void ito_sha256_begin(ito_sha256 *hash);
void ito_sha256_add(ito_sha256 *hash, const void *bytes, int64_t count);
void ito_sha256_end(ito_sha256 *hash, uint8_t digest[32]);

#ifdef __cplusplus
}
#endif
#endif
