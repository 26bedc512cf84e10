#include <webp/decode.h>
#include <webp/encode.h>

#include "common.h"

static ito_image_result failed(VP8StatusCode status, char *message) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return ito_image_fail(ITO_IMAGE_NO_MEMORY, message, "no memory to decode");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return ito_image_fail(ITO_IMAGE_UNSUPPORTED, message, "a feature libwebp does not know");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return ito_image_fail(ITO_IMAGE_DAMAGED, message, "the file ends too early");
    default:
      return ito_image_fail(ITO_IMAGE_DAMAGED, message, "the data is not valid WebP");
  }
}

ito_image_result ito_webp_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                 char *message) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data, count, &features);
  if (status != VP8_STATUS_OK) return failed(status, message);
  if (features.has_animation)
    return ito_image_fail(ITO_IMAGE_UNSUPPORTED, message, "an animation");
  if (features.width <= 0 || features.height <= 0)
    return ito_image_fail(ITO_IMAGE_DAMAGED, message, "the picture has no size");
  shape->width = (uint32_t)features.width;
  shape->height = (uint32_t)features.height;
  shape->channels = features.has_alpha ? 4 : 3;
  return ITO_IMAGE_OK;
}

ito_image_result ito_webp_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                 uint8_t *pixels, char *message) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    return ito_image_fail(ITO_IMAGE_NO_MEMORY, message, "libwebp could not start");
  const VP8StatusCode header = WebPGetFeatures(data, count, &config.input);
  if (header != VP8_STATUS_OK) return failed(header, message);
  const uint32_t channels = config.input.has_alpha ? 4 : 3;
  if ((uint32_t)config.input.width != shape->width ||
      (uint32_t)config.input.height != shape->height || channels != shape->channels)
    return ito_image_fail(ITO_IMAGE_DAMAGED, message, "the header contradicts itself");
  const size_t stride = (size_t)shape->width * channels;
  config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = pixels;
  config.output.u.RGBA.stride = (int)stride;
  config.output.u.RGBA.size = stride * shape->height;
  const VP8StatusCode status = WebPDecode(data, count, &config);
  WebPFreeDecBuffer(&config.output);
  return status == VP8_STATUS_OK ? ITO_IMAGE_OK : failed(status, message);
}

ito_image_result ito_webp_encode(const uint8_t *pixels, const ito_image_shape *shape, float quality,
                                 int lossless, ito_image_bytes *bytes, char *message) {
  *bytes = (ito_image_bytes){0};
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&picture))
    return ito_image_fail(ITO_IMAGE_NO_MEMORY, message, "libwebp could not start");
  // For lossless pictures `quality` is effort, and libwebp's own middle setting is kept.
  config.lossless = lossless;
  config.exact = lossless;
  if (!lossless) config.quality = quality;
  picture.use_argb = lossless;
  picture.width = (int)shape->width;
  picture.height = (int)shape->height;
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const int stride = (int)(shape->width * shape->channels);
  const int imported = shape->channels == 4 ? WebPPictureImportRGBA(&picture, pixels, stride)
                                            : WebPPictureImportRGB(&picture, pixels, stride);
  const int encoded = imported && WebPEncode(&config, &picture);
  const WebPEncodingError error = picture.error_code;
  WebPPictureFree(&picture);
  if (!encoded) {
    WebPMemoryWriterClear(&writer);
    if (error == VP8_ENC_ERROR_OUT_OF_MEMORY || error == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY)
      return ito_image_fail(ITO_IMAGE_NO_MEMORY, message, "no memory to encode");
    snprintf(message, ITO_IMAGE_MESSAGE, "libwebp error %d", error);
    return ITO_IMAGE_UNSUPPORTED;
  }
  // libwebp allocates with malloc, which ito_image_bytes_free relies on.
  *bytes = (ito_image_bytes){writer.mem, writer.size};
  return ITO_IMAGE_OK;
}
