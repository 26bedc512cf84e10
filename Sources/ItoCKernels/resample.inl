#include "scalar_types.h"

// sum += weight · line, n elements; the first tap sets it.
template <typename T>
static void add_line(const T* line, float weight, float* sum, int64_t n, bool first) {
  if (first)
    for (int64_t i = 0; i < n; i++) sum[i] = weight * load(line + i);
  else
    for (int64_t i = 0; i < n; i++) sum[i] += weight * load(line + i);
}

template <typename T>
static void resample_line(const T* in, T* out, int64_t width, int64_t channels, int64_t out_width,
                          const ito_taps& rows, int64_t y, const ito_taps& columns, float* scratch) {
  int64_t line = width * channels;
  float* sum = scratch + channels;
  int64_t begin = rows.starts[y], end = rows.starts[y + 1];
  if (begin == end)
    for (int64_t i = 0; i < line; i++) sum[i] = 0;
  for (int64_t k = begin; k < end; k++)
    add_line(in + rows.indices[k] * line, rows.weights[k], sum, line, k == begin);
  for (int64_t x = 0; x < out_width; x++) {
    T* pixel = out + x * channels;
    int64_t first = columns.starts[x], last = columns.starts[x + 1];
    if (last - first == 2) {
      const float* a = sum + columns.indices[first] * channels;
      const float* b = sum + columns.indices[first + 1] * channels;
      float wa = columns.weights[first], wb = columns.weights[first + 1];
      for (int64_t c = 0; c < channels; c++) store(pixel + c, wa * a[c] + wb * b[c]);
      continue;
    }
    for (int64_t c = 0; c < channels; c++) scratch[c] = 0;
    for (int64_t k = first; k < last; k++) {
      const float* a = sum + columns.indices[k] * channels;
      float w = columns.weights[k];
      for (int64_t c = 0; c < channels; c++) scratch[c] += w * a[c];
    }
    for (int64_t c = 0; c < channels; c++) store(pixel + c, scratch[c]);
  }
}

// One line of the result. `scratch` holds (width + 1) · channels floats.
static void resample_typed_line(int type, const void* in, void* out, int64_t width, int64_t channels,
                                int64_t out_width, const ito_taps& rows, int64_t y, const ito_taps& columns,
                                float* scratch) {
  if (type == ITO_F32)
    resample_line(static_cast<const float*>(in), static_cast<float*>(out), width, channels, out_width, rows, y,
                  columns, scratch);
  else
    resample_line(static_cast<const bf16*>(in), static_cast<bf16*>(out), width, channels, out_width, rows, y, columns,
                  scratch);
}

template <typename T>
static void max_pixel(const T* in, T* out, const ito_pooling& p, int64_t x) {
  int64_t line = p.width * p.channels;
  const T* corner = in + x * p.stride_width * p.channels;
  for (int64_t c = 0; c < p.channels; c++) out[c] = corner[c];
  for (int64_t i = 0; i < p.window_height; i++)
    for (int64_t j = 0; j < p.window_width; j++) {
      const T* pixel = corner + i * line + j * p.channels;
      for (int64_t c = 0; c < p.channels; c++) {
        float best = load(out + c), v = load(pixel + c);
        out[c] = v > best || v != v ? pixel[c] : out[c];
      }
    }
}

// One line of the result; `in` points at the first line of its windows.
static void max_pool_line(int type, const void* in, void* out, const ito_pooling& p) {
  for (int64_t x = 0; x < p.out_width; x++)
    if (type == ITO_F32)
      max_pixel(static_cast<const float*>(in), static_cast<float*>(out) + x * p.channels, p, x);
    else
      max_pixel(static_cast<const bf16*>(in), static_cast<bf16*>(out) + x * p.channels, p, x);
}

template <typename T>
static void max_pool_back(const T* in, const T* gradient, float* out, const ito_pooling& p, int64_t first,
                          int64_t last) {
  int64_t line = p.width * p.channels;
  for (int64_t y = 0; y < p.out_height; y++)
    for (int64_t x = 0; x < p.out_width; x++) {
      int64_t corner = y * p.stride_height * line + x * p.stride_width * p.channels;
      const T* g = gradient + (y * p.out_width + x) * p.channels;
      for (int64_t c = first; c < last; c++) {
        int64_t at = corner + c;
        float best = load(in + at);
        for (int64_t i = 0; i < p.window_height; i++)
          for (int64_t j = 0; j < p.window_width; j++) {
            int64_t k = corner + i * line + j * p.channels + c;
            float v = load(in + k);
            if (v > best || (v != v && best == best)) {
              best = v;
              at = k;
            }
          }
        out[at] += load(g + c);
      }
    }
}

// Channels [first, last) of one image.
static void max_pool_back_channels(int type, const void* in, const void* gradient, float* out, const ito_pooling& p,
                                   int64_t first, int64_t last) {
  if (type == ITO_F32)
    max_pool_back(static_cast<const float*>(in), static_cast<const float*>(gradient), out, p, first, last);
  else
    max_pool_back(static_cast<const bf16*>(in), static_cast<const bf16*>(gradient), out, p, first, last);
}
