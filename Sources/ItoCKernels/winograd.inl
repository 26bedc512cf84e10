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

// F(2, 3) of stride 2: of the pixels with even places F(2, 2) of the outer taps, by points 0, -1 and infinity; of
// the others a product each by the middle tap.
template <>
struct Filtering<5> {
  static constexpr int m = 2, step = 4;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[2];
    t[2] = d[4] - d[2];
    t[3] = d[1];
    t[4] = d[3];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = (p[0] + p[1]) + p[3];
    y[1] = (p[1] + p[2]) + p[4];
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

// Input channels are cut into runs whose weights, those of a panel, stay in the first-level cache while they meet one
// tile after another, and whose values stay in the second-level cache while they meet one panel after another.
constexpr int64_t kRun = 384;
static inline int64_t run_length(int64_t channels) {
  int64_t runs = (channels + kRun - 1) / kRun;
  return ((channels + runs - 1) / runs + kLanes - 1) / kLanes * kLanes;
}

// A run of all tiles by a panel's weights. Meanwhile `ahead` is fetched, at most a line for every `every` channels.
struct PanelProduct {
  const float *values, *weights;
  float* products;
  int64_t tiles, length;
  const char* ahead[2];
  int64_t bytes[2];

  template <bool adds, int every>
  inline void run() const {
    const int64_t part = length / every * 64;
    int64_t which = 0, at = 0;
    for (int64_t t = 0; t < tiles; t += kRows) {
      const float* a = values + t * length;
      if (which < 2) {
        product_some<kRows, adds, every>(tiles - t, a, length, weights, length, products + t * kLanes, kLanes,
                                         ahead[which] + at);
        at += part;
        if (at >= bytes[which]) which++, at = 0;
      } else {
        product_some<kRows, adds>(tiles - t, a, length, weights, length, products + t * kLanes);
      }
    }
  }
};

template <int n>
static void winograd_tiles(const WinogradTiles& job) {
  constexpr int m = Filtering<n>::m, kProducts = n * n;
  const ito_winograd_epilogue& after = *job.epilogue;
  const ito_winograd_desc& d = *job.desc;
  const int64_t step = job.count * d.channels, product_step = job.count * kLanes;
  const int64_t run = run_length(d.channels);
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
    for (int64_t first = 0; first < d.channels; first += run) {
      const int64_t length = d.channels - first < run ? d.channels - first : run;
      float* values = job.values + first * job.count + t * length;
      for (int64_t c = 0; c < length; c += kLanes) transform_input<n>(pixel, first + c, length - c, step, values + c);
    }
  }

  // Panels of a group take their turns at one product's values, which are then in cache.
  const int64_t panel_step = kProducts * product_step, weight_step = kProducts * kLanes * d.channels;
  for (int64_t group = job.first_output; group < job.last_output; group += job.panels * kLanes) {
    const int64_t left = (job.last_output - group + kLanes - 1) / kLanes, panels = left < job.panels ? left : job.panels;
    for (int p = 0; p < kProducts; p++)
      for (int64_t first = 0; first < d.channels; first += run) {
        const int64_t length = d.channels - first < run ? d.channels - first : run;
        const float* values = job.values + p * step + first * job.count;
        const float* weights =
            job.weights + ((group - job.first_weight) * kProducts + p * kLanes) * d.channels + first * kLanes;
        for (int64_t panel = 0; panel < panels; panel++) {
          const float* of_panel = weights + panel * weight_step;
          // The next panel's weights, or the next run's of the first; and this panel's share of the next run's values.
          const float* next = panel + 1 < panels ? of_panel + weight_step : weights + length * kLanes;
          const int64_t share = job.count * length / panels;
          PanelProduct product{values, of_panel, job.products + panel * panel_step + p * product_step, job.count,
                               length,
                               {(const char*)next, (const char*)(values + job.count * length + panel * share)},
                               {length * kLanes * 4, share * 4}};
          if (job.count < 4 * kRows)
            first ? product.run<true, 2>() : product.run<false, 2>();
          else
            first ? product.run<true, 4>() : product.run<false, 4>();
        }
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
  switch (products_along_axis(*job.desc)) {
    case 3: return winograd_tiles<3>(job);
    case 4: return winograd_tiles<4>(job);
    case 5: return winograd_tiles<5>(job);
    default: return winograd_tiles<6>(job);
  }
}
