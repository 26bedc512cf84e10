// PNG, JPEG and WebP through the system's libraries.
//
// The libraries report errors by longjmp or by printing and exiting; here every error comes back as
// a result and a text. Pixels are 8 bits a channel, interleaved, rows without gaps. A picture is
// read in two calls, so that the caller can refuse its size before any memory is taken for it:
// `_header` reports the shape, `_decode` fills exactly width * height * channels bytes.
//
// No globals; every function may run on several threads at once.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ITO_IMAGE_OK = 0,
  ITO_IMAGE_DAMAGED = 1,      // the bytes are not what the format says
  ITO_IMAGE_UNSUPPORTED = 2,  // a valid variant that is not read
  ITO_IMAGE_NO_MEMORY = 3,
} ito_image_result;

// Room for a message, including its terminating zero. Written on any result but OK.
#define ITO_IMAGE_MESSAGE 200

typedef struct {
  uint32_t width, height;
  uint32_t channels;  // 1 grey, 3 RGB, 4 RGBA
} ito_image_shape;

// Encoded bytes, to be released with ito_image_bytes_free; `data` is NULL after a failure.
typedef struct {
  uint8_t *data;
  size_t count;
} ito_image_bytes;

void ito_image_bytes_free(ito_image_bytes *bytes);

// Every colour type and bit depth. Grey with alpha comes out as RGBA; 16 bits are rounded to 8.
ito_image_result ito_png_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                char *message);
ito_image_result ito_png_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                uint8_t *pixels, char *message);
// `level` is zlib's, 0 (none) to 9 (smallest).
ito_image_result ito_png_encode(const uint8_t *pixels, const ito_image_shape *shape, int level,
                                ito_image_bytes *bytes, char *message);

// Grey stays grey; YCbCr, RGB, CMYK and YCCK come out as RGB. Four inks are taken to be stored
// inverted, as Adobe's programs do. Truncated or wrong entropy-coded data is an error.
ito_image_result ito_jpeg_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                 char *message);
ito_image_result ito_jpeg_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                 uint8_t *pixels, char *message);
// `shape->channels` 1 or 3; `quality` 1 to 100; chroma at half resolution when `subsample`.
ito_image_result ito_jpeg_encode(const uint8_t *pixels, const ito_image_shape *shape, int quality,
                                 int subsample, ito_image_bytes *bytes, char *message);

// Still pictures; animations are ITO_IMAGE_UNSUPPORTED.
ito_image_result ito_webp_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                 char *message);
ito_image_result ito_webp_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                 uint8_t *pixels, char *message);
// `shape->channels` 3 or 4; `quality` 0 to 100. Lossless keeps colours under full transparency.
ito_image_result ito_webp_encode(const uint8_t *pixels, const ito_image_shape *shape, float quality,
                                 int lossless, ito_image_bytes *bytes, char *message);

#ifdef __cplusplus
}
#endif
