#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "vector_math.h"
#include "activations.h"

// One-dimensional transforms of a tile by n products; a two-dimensional one applies them along both axes. A tile
// has m outputs and reads n pixels, `step` on from those of the tile before.
template <int n>
struct Filtering;

// F(2, 3): points 0, 1, -1 and infinity.
template <>
struct Filtering<4> {
  static constexpr int m = 2, step = 2;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = (p[0] + p[1]) + p[2];
    y[1] = (p[1] - p[2]) - p[3];
  }
};

// The same of pixels a, b, b, c: the product of b - b is left out.
template <>
struct Filtering<3> {
  static constexpr int m = 2, step = 1;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[1];
    t[1] = d[1];
    t[2] = d[1] - d[2];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = p[0] + p[1];
    y[1] = p[1] - p[2];
  }
};

// F(4, 3): points 0, 1, -1, 2, -2 and infinity.
template <>
struct Filtering<6> {
  static constexpr int m = 4, step = 4;
  static inline void input(const lanes* d, lanes* t) {
    lanes even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    lanes second = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
    t[0] = (4.0f * d[0] - 5.0f * d[2]) + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = second + twice;
    t[4] = second - twice;
    t[5] = (4.0f * d[1] - 5.0f * d[3]) + d[5];
  }
  static inline void output(const lanes* p, lanes* y) {
    lanes sum = p[1] + p[2], difference = p[1] - p[2];
    lanes sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    y[0] = (p[0] + sum) + sum2;
    y[1] = difference + 2.0f * difference2;
    y[2] = sum + 4.0f * sum2;
    y[3] = (difference + 8.0f * difference2) + p[5];
  }
};

// Sixteen channels of a tile's n^2 pixels, `pixel[i]` apart from `channel`, to the values of its
// products, each `step` floats from the one before. `count` < 16 channels are left in the last call.
template <int n>
static inline void transform_input(const float* const* pixel, int64_t channel, int64_t count, int64_t step, float* v) {
  lanes columns[n][n];  // [column][row], transformed along the rows' axis
  for (int j = 0; j < n; j++) {
    lanes d[n];
    for (int i = 0; i < n; i++) {
      if (count >= kLanes)
        load_lanes(d[i], pixel[i * n + j] + channel);
      else
        load_lanes(d[i], pixel[i * n + j] + channel, count, 0.0f);
    }
    Filtering<n>::input(d, columns[j]);
  }
  for (int i = 0; i < n; i++) {
    lanes d[n], t[n];
    for (int j = 0; j < n; j++) d[j] = columns[j][i];
    Filtering<n>::input(d, t);
    for (int j = 0; j < n; j++)
      __builtin_memcpy(v + (i * n + j) * step, &t[j], size_t(count >= kLanes ? kLanes : count) * 4);
  }
}

// Sixteen output channels of a tile from its products, each `step` floats from the one before. `residual` is null
// or laid out as `out`.
template <int n>
static inline void transform_output(const float* products, int64_t step, const float* bias, const float* residual,
                                    const float* out, float* const* pixel, int64_t count) {
  constexpr int m = Filtering<n>::m;
  lanes rows[m][n];
  for (int j = 0; j < n; j++) {
    lanes p[n], y[m];
    for (int i = 0; i < n; i++) load_lanes(p[i], products + (i * n + j) * step);
    Filtering<n>::output(p, y);
    for (int i = 0; i < m; i++) rows[i][j] = y[i];
  }
  lanes shift;
  load_lanes(shift, bias);
  for (int i = 0; i < m; i++) {
    lanes y[m];
    Filtering<n>::output(rows[i], y);
    for (int j = 0; j < m; j++) {
      if (!pixel[i * m + j]) continue;
      y[j] += shift;
      if (residual) {
        lanes r;
        const float* from = residual + (pixel[i * m + j] - out);
        if (count == kLanes)
          load_lanes(r, from);
        else
          load_lanes(r, from, count, 0.0f);
        y[j] += r;
      }
      __builtin_memcpy(pixel[i * m + j], &y[j], size_t(count) * 4);
    }
  }
}

template <typename F>
static inline void activate(float* v, int64_t count) {
  if (count == kLanes) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < kLanes; i++) v[i] = F::value(v[i], 0, 0);
  } else {
    for (int64_t i = 0; i < count; i++) v[i] = F::value(v[i], 0, 0);
  }
}
// The activation of a tile's outputs, which were just written.
static void activate_tile(int64_t activation, float* const* pixel, int pixels, int64_t count) {
  for (int i = 0; i < pixels; i++) {
    if (!pixel[i]) continue;
    switch (activation) {
#define CASE(NAME, F) \
  case NAME: activate<F>(pixel[i], count); break;
      ITO_FOR_EACH_ACTIVATION(CASE)
#undef CASE
    }
  }
}

template <int n>
static void winograd_tiles(const WinogradTiles& job) {
  constexpr int m = Filtering<n>::m, kProducts = n * n;
  const ito_winograd_epilogue& after = *job.epilogue;
  const ito_winograd_desc& d = *job.desc;
  const int64_t step = job.count * d.channels, product_step = job.count * kLanes;
  int64_t across = (d.out_width + m - 1) / m, down = (d.out_height + m - 1) / m;

  for (int64_t t = 0; t < job.count; t++) {
    int64_t tile = job.first + t, sample = tile / (across * down);
    int64_t top = tile / across % down * Filtering<n>::step - d.pad_top;
    int64_t left = tile % across * Filtering<n>::step - d.pad_left;
    const float* pixel[kProducts];
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        int64_t y = top + i, x = left + j;
        bool inside = y >= 0 && y < d.height && x >= 0 && x < d.width;
        pixel[i * n + j] = inside ? job.x + ((sample * d.height + y) * d.width + x) * d.channels : job.zeros;
      }
    for (int64_t c = 0; c < d.channels; c += kLanes)
      transform_input<n>(pixel, c, d.channels - c, step, job.values + t * d.channels + c);
  }

  // Panels of a group take their turns at one product's values, which are then in cache.
  const int64_t panel_step = kProducts * product_step;
  for (int64_t group = job.first_output; group < job.last_output; group += job.panels * kLanes) {
    const int64_t left = (job.last_output - group + kLanes - 1) / kLanes, panels = left < job.panels ? left : job.panels;
    for (int p = 0; p < kProducts; p++)
      for (int64_t panel = 0; panel < panels; panel++) {
        const int64_t o = group + panel * kLanes - job.first_weight;
        const float* weights = job.weights + (o * kProducts + p * kLanes) * d.channels;
        float* products = job.products + panel * panel_step + p * product_step;
        for (int64_t t = 0; t < job.count; t += kRows)
          product_some<kRows>(job.count - t, job.values + p * step + t * d.channels, d.channels, weights, d.channels,
                              products + t * kLanes);
      }
    for (int64_t panel = 0; panel < panels; panel++) {
      const int64_t o = group + panel * kLanes, count = d.out_channels - o < kLanes ? d.out_channels - o : kLanes;
      float bias[kLanes] = {};
      if (after.bias) __builtin_memcpy(bias, after.bias + o, size_t(count) * 4);
      for (int64_t t = 0; t < job.count; t++) {
        int64_t tile = job.first + t, sample = tile / (across * down);
        int64_t top = tile / across % down * m, left = tile % across * m;
        float* pixel[m * m];
        for (int i = 0; i < m; i++)
          for (int j = 0; j < m; j++) {
            bool inside = top + i < d.out_height && left + j < d.out_width;
            int64_t at = ((sample * d.out_height + top + i) * d.out_width + left + j) * d.out_channels + o;
            pixel[i * m + j] = inside ? job.out + at : nullptr;
          }
        transform_output<n>(job.products + panel * panel_step + t * kLanes, product_step, bias, after.residual, job.out,
                            pixel, count);
        if (after.activation != ITO_UNARY_NONE) activate_tile(after.activation, pixel, m * m, count);
      }
    }
  }
}

static void winograd_range(const WinogradTiles& job) {
  (job.desc->doubles ? winograd_tiles<3> : job.desc->tile == 4 ? winograd_tiles<6> : winograd_tiles<4>)(job);
}
