#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
// Needs the types of jpeglib.h.
#include <jerror.h>

#include "common.h"

// More passes over one picture than any encoder makes; a file may ask for thousands.
enum { MAXIMUM_SCANS = 256 };

// Lives in the frame above the one that calls setjmp, so that its fields survive a longjmp.
typedef struct {
  struct jpeg_error_mgr errors;  // first: libjpeg hands back its address
  struct jpeg_progress_mgr progress;
  union {
    struct jpeg_common_struct any;
    struct jpeg_decompress_struct in;
    struct jpeg_compress_struct out;
  } codec;
  struct jpeg_destination_mgr destination;
  ito_image_bytes *encoded;
  size_t capacity;
  uint8_t *row;
  jmp_buf jump;
  ito_image_result result;
  char *message;
} session;

_Noreturn static void stop_with(session *s, ito_image_result result, const char *text) {
  s->result = ito_image_fail(result, s->message, text);
  longjmp(s->jump, 1);
}

// Stops with libjpeg's own text.
_Noreturn static void stop(session *s, ito_image_result result) {
  char text[JMSG_LENGTH_MAX];
  s->errors.format_message(&s->codec.any, text);
  stop_with(s, result, text);
}

static void on_error(j_common_ptr codec) {
  session *s = (session *)codec->err;
  switch (s->errors.msg_code) {
    case JERR_OUT_OF_MEMORY:
      stop(s, ITO_IMAGE_NO_MEMORY);
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
      stop(s, ITO_IMAGE_UNSUPPORTED);
    default:
      stop(s, ITO_IMAGE_DAMAGED);
  }
}

// libjpeg fills damaged parts with grey and goes on; a caller must not take that for the picture.
static void on_message(j_common_ptr codec, int level) {
  session *s = (session *)codec->err;
  if (level >= 0) return;
  switch (s->errors.msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
      stop_with(s, ITO_IMAGE_DAMAGED, "the file ends too early");
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
      stop(s, ITO_IMAGE_DAMAGED);
    default:
      break;  // oddities that leave the pixels whole
  }
}

static void on_output(j_common_ptr codec) { (void)codec; }

static void on_progress(j_common_ptr codec) {
  session *s = (session *)codec->err;
  if (s->codec.in.input_scan_number > MAXIMUM_SCANS)
    stop_with(s, ITO_IMAGE_UNSUPPORTED, "more than 256 scans");
}

static void catch_errors(session *s) {
  s->codec.any.err = jpeg_std_error(&s->errors);
  s->errors.error_exit = on_error;
  s->errors.emit_message = on_message;
  s->errors.output_message = on_output;
}

static void read_header(session *s, const uint8_t *data, size_t count, ito_image_shape *shape) {
  j_decompress_ptr in = &s->codec.in;
  jpeg_create_decompress(in);
  s->progress.progress_monitor = on_progress;
  in->progress = &s->progress;
  jpeg_mem_src(in, (unsigned char *)data, count);
  jpeg_read_header(in, TRUE);
  if (in->num_components != 1 && in->num_components != 3 && in->num_components != 4) {
    char text[ITO_IMAGE_MESSAGE];
    snprintf(text, sizeof text, "%d colour components", in->num_components);
    stop_with(s, ITO_IMAGE_UNSUPPORTED, text);
  }
  shape->width = in->image_width;
  shape->height = in->image_height;
  shape->channels = in->num_components == 1 ? 1 : 3;
}

static void header(session *s, const uint8_t *data, size_t count, ito_image_shape *shape) {
  if (setjmp(s->jump) == 0) read_header(s, data, count, shape);
}

// a * b / 255, rounded, for bytes.
static uint8_t scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

static void decode(session *s, const uint8_t *data, size_t count, const ito_image_shape *expected,
                   uint8_t *pixels) {
  if (setjmp(s->jump)) return;
  ito_image_shape shape;
  read_header(s, data, count, &shape);
  if (shape.width != expected->width || shape.height != expected->height ||
      shape.channels != expected->channels)
    stop_with(s, ITO_IMAGE_DAMAGED, "the header contradicts itself");
  j_decompress_ptr in = &s->codec.in;
  const int inks = in->num_components == 4;
  in->out_color_space = inks ? JCS_CMYK : shape.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  if (inks && !(s->row = malloc((size_t)shape.width * 4)))
    stop_with(s, ITO_IMAGE_NO_MEMORY, "no memory for a row");
  jpeg_start_decompress(in);
  const size_t stride = (size_t)shape.width * shape.channels;
  while (in->output_scanline < shape.height) {
    uint8_t *target = pixels + in->output_scanline * stride;
    JSAMPROW row = inks ? s->row : target;
    jpeg_read_scanlines(in, &row, 1);
    for (size_t x = 0; inks && x < shape.width; x++)
      for (size_t c = 0; c < 3; c++)
        target[3 * x + c] = scaled(s->row[4 * x + c], s->row[4 * x + 3]);
  }
  jpeg_finish_decompress(in);
}

ito_image_result ito_jpeg_header(const uint8_t *data, size_t count, ito_image_shape *shape,
                                 char *message) {
  session s = {.message = message};
  catch_errors(&s);
  header(&s, data, count, shape);
  jpeg_destroy(&s.codec.any);
  return s.result;
}

ito_image_result ito_jpeg_decode(const uint8_t *data, size_t count, const ito_image_shape *shape,
                                 uint8_t *pixels, char *message) {
  session s = {.message = message};
  catch_errors(&s);
  decode(&s, data, count, shape, pixels);
  jpeg_destroy(&s.codec.any);
  free(s.row);
  return s.result;
}

// libjpeg's own memory destination leaves a dangling pointer when it fails after growing.
static void on_start(j_compress_ptr out) { (void)out; }

static boolean on_full(j_compress_ptr out) {
  session *s = (session *)out->err;
  const size_t used = s->capacity;
  const size_t capacity = 2 * used + 16384;
  uint8_t *grown = realloc(s->encoded->data, capacity);
  if (!grown) stop_with(s, ITO_IMAGE_NO_MEMORY, "no memory for the encoded picture");
  s->encoded->data = grown;
  s->capacity = capacity;
  s->destination.next_output_byte = grown + used;
  s->destination.free_in_buffer = capacity - used;
  return TRUE;
}

static void on_end(j_compress_ptr out) {
  session *s = (session *)out->err;
  s->encoded->count = s->capacity - s->destination.free_in_buffer;
}

static void encode(session *s, const uint8_t *pixels, const ito_image_shape *shape, int quality,
                   int subsample) {
  if (setjmp(s->jump)) return;
  j_compress_ptr out = &s->codec.out;
  jpeg_create_compress(out);
  s->destination.init_destination = on_start;
  s->destination.empty_output_buffer = on_full;
  s->destination.term_destination = on_end;
  out->dest = &s->destination;
  on_full(out);
  out->image_width = shape->width;
  out->image_height = shape->height;
  out->input_components = (int)shape->channels;
  out->in_color_space = shape->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(out);
  jpeg_set_quality(out, quality, TRUE);
  out->optimize_coding = TRUE;
  if (!subsample && shape->channels == 3)
    out->comp_info[0].h_samp_factor = out->comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(out, TRUE);
  const size_t stride = (size_t)shape->width * shape->channels;
  while (out->next_scanline < out->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + out->next_scanline * stride);
    jpeg_write_scanlines(out, &row, 1);
  }
  jpeg_finish_compress(out);
}

ito_image_result ito_jpeg_encode(const uint8_t *pixels, const ito_image_shape *shape, int quality,
                                 int subsample, ito_image_bytes *bytes, char *message) {
  *bytes = (ito_image_bytes){0};
  session s = {.message = message, .encoded = bytes};
  catch_errors(&s);
  encode(&s, pixels, shape, quality, subsample);
  jpeg_destroy(&s.codec.any);
  if (s.result != ITO_IMAGE_OK) ito_image_bytes_free(bytes);
  return s.result;
}
