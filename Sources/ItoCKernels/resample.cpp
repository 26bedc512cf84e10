#include <cstdint>
#include <cstring>

#define ITO_KERNELS "resample.inl"
#include "include/ito_resample.h"
#include "multiversion.h"

namespace {

constexpr int64_t kGrain = 32768;  // elements that are worth a thread
constexpr int64_t kBlock = 32;     // channels a unit of parallel work takes through one image

int64_t size_of(int type) { return type == ITO_F32 ? 4 : 2; }
int64_t grain(int64_t elements) { return elements >= kGrain ? 1 : kGrain / (elements > 0 ? elements : 1); }

struct Resampling {
  int type;
  const char* in;
  char* out;
  int64_t height, width, channels, out_height, out_width;
  ito_taps rows, columns;
};

void resample_lines(void* ctx, int64_t begin, int64_t end) {
  const Resampling& r = *static_cast<Resampling*>(ctx);
  int64_t size = size_of(r.type);
  size_t bytes = size_t((r.width + 1) * r.channels) * sizeof(float);
  float* scratch = static_cast<float*>(ito_alloc(bytes));
  for (int64_t i = begin; i < end; i++) {
    const char* in = r.in + i / r.out_height * r.height * r.width * r.channels * size;
    ITO_DISPATCH(resample_typed_line)
    (r.type, in, r.out + i * r.out_width * r.channels * size, r.width, r.channels, r.out_width, r.rows,
     i % r.out_height, r.columns, scratch);
  }
  ito_free(scratch, bytes);
}

struct Nearest {
  const char* in;
  char* out;
  int64_t height, width, bytes, out_height, out_width;
  const int32_t *rows, *columns;
};

template <int64_t bytes>
void pick_pixels(const char* in, char* out, const int32_t* columns, int64_t n) {
  for (int64_t x = 0; x < n; x++) memcpy(out + x * bytes, in + columns[x] * bytes, bytes);
}

void nearest_lines(void* ctx, int64_t begin, int64_t end) {
  const Nearest& r = *static_cast<Nearest*>(ctx);
  int64_t line = r.out_width * r.bytes;
  for (int64_t i = begin; i < end; i++) {
    int64_t y = i % r.out_height;
    char* out = r.out + i * line;
    if (i > begin && y > 0 && r.rows[y] == r.rows[y - 1]) {
      memcpy(out, out - line, size_t(line));
      continue;
    }
    const char* in = r.in + (i / r.out_height * r.height + r.rows[y]) * r.width * r.bytes;
    switch (r.bytes) {
      case 1: pick_pixels<1>(in, out, r.columns, r.out_width); break;
      case 2: pick_pixels<2>(in, out, r.columns, r.out_width); break;
      case 3: pick_pixels<3>(in, out, r.columns, r.out_width); break;
      case 4: pick_pixels<4>(in, out, r.columns, r.out_width); break;
      case 6: pick_pixels<6>(in, out, r.columns, r.out_width); break;
      case 8: pick_pixels<8>(in, out, r.columns, r.out_width); break;
      case 12: pick_pixels<12>(in, out, r.columns, r.out_width); break;
      case 16: pick_pixels<16>(in, out, r.columns, r.out_width); break;
      default:
        for (int64_t x = 0; x < r.out_width; x++)
          memcpy(out + x * r.bytes, in + r.columns[x] * r.bytes, size_t(r.bytes));
    }
  }
}

struct Pooling {
  int type;
  const char *in, *gradient;
  char* out;
  ito_pooling shape;
};

void max_lines(void* ctx, int64_t begin, int64_t end) {
  const Pooling& job = *static_cast<Pooling*>(ctx);
  const ito_pooling& p = job.shape;
  int64_t size = size_of(job.type), line = p.width * p.channels * size;
  for (int64_t i = begin; i < end; i++) {
    const char* in = job.in + (i / p.out_height * p.height + i % p.out_height * p.stride_height) * line;
    ITO_DISPATCH(max_pool_line)(job.type, in, job.out + i * p.out_width * p.channels * size, p);
  }
}

// Windows may overlap, so a unit of work is a whole image, for some of its channels.
void max_back(void* ctx, int64_t begin, int64_t end) {
  const Pooling& job = *static_cast<Pooling*>(ctx);
  const ito_pooling& p = job.shape;
  int64_t size = size_of(job.type), blocks = (p.channels + kBlock - 1) / kBlock;
  int64_t pixels = p.height * p.width, windows = p.out_height * p.out_width;
  for (int64_t i = begin; i < end; i++) {
    int64_t b = i / blocks, first = i % blocks * kBlock;
    int64_t last = first + kBlock < p.channels ? first + kBlock : p.channels;
    float* out = reinterpret_cast<float*>(job.out) + b * pixels * p.channels;
    for (int64_t k = 0; k < pixels; k++) memset(out + k * p.channels + first, 0, size_t(last - first) * 4);
    ITO_DISPATCH(max_pool_back_channels)
    (job.type, job.in + b * pixels * p.channels * size, job.gradient + b * windows * p.channels * size, out, p, first,
     last);
  }
}

}  // namespace

extern "C" {

void ito_resample(int type, const void* in, void* out, int64_t batch, int64_t height, int64_t width,
                  int64_t channels, int64_t out_height, int64_t out_width, ito_taps rows, ito_taps columns) {
  Resampling job{type,  static_cast<const char*>(in), static_cast<char*>(out), height, width, channels, out_height,
                 out_width, rows, columns};
  int64_t line = (width > out_width ? width : out_width) * channels;
  ito_parallel_for(batch * out_height, grain(2 * line), resample_lines, &job);
}

void ito_resize_nearest(const void* in, void* out, int64_t batch, int64_t height, int64_t width, int64_t bytes,
                        int64_t out_height, int64_t out_width, const int32_t* rows, const int32_t* columns) {
  Nearest job{static_cast<const char*>(in), static_cast<char*>(out), height, width, bytes, out_height, out_width, rows,
              columns};
  ito_parallel_for(batch * out_height, grain(out_width * bytes / 2), nearest_lines, &job);
}

void ito_max_pool(int type, const void* in, void* out, ito_pooling shape) {
  Pooling job{type, static_cast<const char*>(in), nullptr, static_cast<char*>(out), shape};
  int64_t work = shape.out_width * shape.channels * shape.window_height * shape.window_width;
  ito_parallel_for(shape.batch * shape.out_height, grain(work), max_lines, &job);
}

void ito_max_pool_gradient(int type, const void* in, const void* gradient, float* out, ito_pooling shape) {
  Pooling job{type, static_cast<const char*>(in), static_cast<const char*>(gradient), reinterpret_cast<char*>(out),
              shape};
  int64_t blocks = (shape.channels + kBlock - 1) / kBlock;
  int64_t columns = shape.channels < kBlock ? shape.channels : kBlock;
  ito_parallel_for(shape.batch * blocks, grain(shape.height * shape.width * columns), max_back, &job);
}

}  // extern "C"
