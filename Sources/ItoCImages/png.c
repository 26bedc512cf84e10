#include <png.h>
#include <setjmp.h>

#include "common.h"

// Lives in the frame above the one that calls setjmp, so that its fields survive a longjmp.
typedef struct {
  const uint8_t *data;
  size_t count, position;
  ito_image_bytes *out;
  size_t capacity;
  png_structp png;
  png_infop info;
  jmp_buf jump;
  ito_image_result result;
  char *message;
} session;

_Noreturn static void on_error(png_structp png, png_const_charp text) {
  session *s = png_get_error_ptr(png);
  // A more exact cause may have been set before libpng was told.
  if (s->result == ITO_IMAGE_OK) s->result = ito_image_fail(ITO_IMAGE_DAMAGED, s->message, text);
  longjmp(s->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

_Noreturn static void stop(session *s, ito_image_result result, const char *text) {
  s->result = ito_image_fail(result, s->message, text);
  png_error(s->png, text);
}

static void on_read(png_structp png, png_bytep out, size_t count) {
  session *s = png_get_io_ptr(png);
  if (count > s->count - s->position) stop(s, ITO_IMAGE_DAMAGED, "the file ends too early");
  memcpy(out, s->data + s->position, count);
  s->position += count;
}

// Reads up to the pixels and sets the conversions to 8-bit grey, RGB or RGBA.
static void read_header(session *s, ito_image_shape *shape) {
  s->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
  if (s->png) s->info = png_create_info_struct(s->png);
  if (!s->info) {
    s->result = ito_image_fail(ITO_IMAGE_NO_MEMORY, s->message, "libpng could not start");
    longjmp(s->jump, 1);
  }
  png_set_read_fn(s->png, s, on_read);
  // The caller limits the size; libpng's own limits would refuse wide pictures it accepts.
  png_set_user_limits(s->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Profiles, texts and the like are not needed for pixels and are where hostile files hide. They are
  // skipped, so no chunk is ever held in memory; a limit on chunks would refuse files with large ones.
  png_set_chunk_malloc_max(s->png, 0);
  png_set_keep_unknown_chunks(s->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(s->png, s->info);

  const int color = png_get_color_type(s->png, s->info);
  const int transparent = png_get_valid(s->png, s->info, PNG_INFO_tRNS) != 0;
  const int alpha = (color & PNG_COLOR_MASK_ALPHA) || transparent;
  png_set_expand(s->png);
  png_set_scale_16(s->png);
  if (alpha && !(color & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(s->png);
  shape->width = png_get_image_width(s->png, s->info);
  shape->height = png_get_image_height(s->png, s->info);
  shape->channels = alpha ? 4 : (color & PNG_COLOR_MASK_COLOR) ? 3 : 1;
}

static void header(session *s, ito_image_shape *shape) {
  if (setjmp(s->jump) == 0) read_header(s, shape);
}

static void decode(session *s, const ito_image_shape *expected, uint8_t *pixels) {
  if (setjmp(s->jump)) return;
  ito_image_shape shape;
  read_header(s, &shape);
  const int passes = png_set_interlace_handling(s->png);
  png_read_update_info(s->png, s->info);
  const size_t stride = (size_t)expected->width * expected->channels;
  if (shape.width != expected->width || shape.height != expected->height ||
      shape.channels != expected->channels || png_get_rowbytes(s->png, s->info) != stride)
    stop(s, ITO_IMAGE_DAMAGED, "the header contradicts itself");
  // Rows of all passes go to their final place: a later pass fills in between.
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = 0; y < expected->height; y++)
      png_read_row(s->png, pixels + y * stride, NULL);
  png_read_end(s->png, NULL);
}

ito_image_result ito_png_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                char *message) {
  session s = {.data = data, .count = count, .message = message};
  header(&s, shape);
  png_destroy_read_struct(&s.png, &s.info, NULL);
  return s.result;
}

ito_image_result ito_png_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                uint8_t *pixels, char *message) {
  session s = {.data = data, .count = count, .message = message};
  decode(&s, shape, pixels);
  png_destroy_read_struct(&s.png, &s.info, NULL);
  return s.result;
}

static void on_write(png_structp png, png_bytep bytes, size_t count) {
  session *s = png_get_io_ptr(png);
  if (count > s->capacity - s->out->count) {
    const size_t capacity = 2 * s->capacity + count + 4096;
    uint8_t *grown = realloc(s->out->data, capacity);
    if (!grown) stop(s, ITO_IMAGE_NO_MEMORY, "no memory for the encoded picture");
    s->out->data = grown;
    s->capacity = capacity;
  }
  memcpy(s->out->data + s->out->count, bytes, count);
  s->out->count += count;
}

static void on_flush(png_structp png) { (void)png; }

static void encode(session *s, const uint8_t *pixels, const ito_image_shape *shape, int level) {
  if (setjmp(s->jump)) return;
  s->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
  if (s->png) s->info = png_create_info_struct(s->png);
  if (!s->info) {
    s->result = ito_image_fail(ITO_IMAGE_NO_MEMORY, s->message, "libpng could not start");
    return;
  }
  png_set_user_limits(s->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_write_fn(s->png, s, on_write, on_flush);
  png_set_compression_level(s->png, level);
  const int color = shape->channels == 1   ? PNG_COLOR_TYPE_GRAY
                    : shape->channels == 3 ? PNG_COLOR_TYPE_RGB
                                           : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_IHDR(s->png, s->info, shape->width, shape->height, 8, color, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(s->png, s->info);
  const size_t stride = (size_t)shape->width * shape->channels;
  for (size_t y = 0; y < shape->height; y++) png_write_row(s->png, pixels + y * stride);
  png_write_end(s->png, NULL);
}

ito_image_result ito_png_encode(const uint8_t *pixels, const ito_image_shape *shape, int level,
                                ito_image_bytes *bytes, char *message) {
  *bytes = (ito_image_bytes){0};
  session s = {.out = bytes, .message = message};
  encode(&s, pixels, shape, level);
  png_destroy_write_struct(&s.png, &s.info);
  if (s.result != ITO_IMAGE_OK) ito_image_bytes_free(bytes);
  return s.result;
}
