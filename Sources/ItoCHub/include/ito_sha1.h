// SHA-1 (FIPS 180-4): how git names contents. No protection against someone who means harm, only against damage.
#ifndef ITO_SHA1_H
#define ITO_SHA1_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t state[5];
  uint64_t length;
  uint8_t block[64];
} ito_sha1;

void ito_sha1_begin(ito_sha1 *hash);
void ito_sha1_add(ito_sha1 *hash, const void *bytes, int64_t count);
void ito_sha1_end(ito_sha1 *hash, uint8_t digest[20]);

#ifdef __cplusplus
}
#endif
#endif
