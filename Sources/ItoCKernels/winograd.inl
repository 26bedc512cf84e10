#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "vector_math.h"
#include "activations.h"
#include "winograd_filters.h"

// Sixteen channels of a tile's n^2 pixels, `pixel[i]` apart from `channel`, to the values of its
// products, each `step` words from the one before. `count` < 16 channels are left in the last call.
template <int n, typename X, typename Word>
static inline void transform_input(const X* const* pixel, int64_t channel, int64_t count, int64_t step, Word* v) {
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
    for (int j = 0; j < n; j++) store_words(v + (i * n + j) * step, t[j], count);
  }
}

template <typename F>
static inline void activate(float* v) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < kLanes; i++) v[i] = F::value(v[i], 0, 0);
}
static void activate_pixels(int64_t activation, float* v, int pixels) {
  for (int i = 0; i < pixels; i++) {
    switch (activation) {
#define CASE(NAME, F) \
  case NAME: activate<F>(v + i * kLanes); break;
      ITO_FOR_EACH_ACTIVATION(CASE)
#undef CASE
    }
  }
}

// Sixteen output channels of a tile from its products, each `step` floats from the one before: of pixels that are there,
// `count` channels. `residual` is null or laid out as `out`.
template <int n, typename X>
static inline void transform_output(const float* products, int64_t step, const float* bias, const X* residual,
                                    int64_t activation, X* out, const int64_t* pixel, int64_t count) {
  constexpr int m = Filtering<n>::m;
  lanes rows[m][n];
  for (int j = 0; j < n; j++) {
    lanes p[n], y[m];
    for (int i = 0; i < n; i++) load_lanes(p[i], products + (i * n + j) * step);
    Filtering<n>::output(p, y);
    for (int i = 0; i < m; i++) rows[i][j] = y[i];
  }
  lanes shift, result[m * m];
  load_lanes(shift, bias);
  for (int i = 0; i < m; i++) {
    lanes y[m];
    Filtering<n>::output(rows[i], y);
    for (int j = 0; j < m; j++) {
      const int64_t at = pixel[i * m + j];
      y[j] += shift;
      if (residual && at >= 0) {
        lanes r;
        if (count == kLanes)
          load_lanes(r, residual + at);
        else
          load_lanes(r, residual + at, count, 0.0f);
        y[j] += r;
      }
      result[i * m + j] = y[j];
    }
  }
  float* values = reinterpret_cast<float*>(result);
  if (activation != ITO_UNARY_NONE) activate_pixels(activation, values, m * m);
  for (int i = 0; i < m * m; i++)
    if (pixel[i] >= 0) store_lanes(out + pixel[i], values + i * kLanes, count);
}

// Panels that are computed together, and words of kernels that each of them has then, for all products: input channels are
// cut into runs. The kernels of a run and a pass of panels, transformed, stay in the second-level cache beside the products
// that they are added to.
template <typename Word>
constexpr int kPass = 2 * kPerWord<Word>;
template <typename Word>
constexpr int64_t kRunWords = ITO_LEVEL >= 2 && kPerWord<Word> == 1 ? 4608 : 2304;
template <int n, typename Word>
static inline int64_t run_length(int64_t channels) {
  constexpr int64_t kRun = kPerWord<Word> * kRunWords<Word> / (n * n);
  int64_t runs = (channels + kRun - 1) / kRun;
  return ((channels + runs - 1) / runs + kLanes - 1) / kLanes * kLanes;
}
// Between the values of two products, or their kernels, of one run: products do not fall into the same sets of the caches.
constexpr int64_t kApart = kLanes;

template <typename Word>
static inline int64_t words(int64_t channels) {
  return (channels + kPerWord<Word> - 1) / kPerWord<Word>;
}

template <int n, typename Word, typename X>
static void winograd_inputs(const WinogradTiles& job, int64_t run) {
  const ito_winograd_desc& d = *job.desc;
  const X *x = static_cast<const X*>(job.x), *zeros = reinterpret_cast<const X*>(job.zeros);
  constexpr int m = Filtering<n>::m, kStep = Filtering<n>::step;
  const int64_t across = (d.out_width + m - 1) / m, down = (d.out_height + m - 1) / m;
  for (int64_t t = 0; t < job.count; t++) {
    int64_t tile = job.first_tile + t, sample = tile / (across * down);
    int64_t top = tile / across % down * kStep - d.pad_top;
    int64_t left = tile % across * kStep - d.pad_left;
    const X* pixel[n * n];
    const X* next[n];  // of each row what the next tile reads and this one does not; null where there is none
    for (int i = 0; i < n; i++) {
      const int64_t y = top + i;
      const bool is_row = y >= 0 && y < d.height;
      const X* row = is_row ? x + (sample * d.height + y) * d.width * d.channels : zeros;
      for (int j = 0; j < n; j++) {
        const int64_t z = left + j;
        pixel[i * n + j] = is_row && z >= 0 && z < d.width ? row + z * d.channels : zeros;
      }
      next[i] = is_row && left + n + kStep <= d.width ? row + (left + n) * d.channels : nullptr;
    }
    Word* values = reinterpret_cast<Word*>(job.values);
    for (int64_t first = 0; first < d.channels; first += run) {
      const int64_t length = d.channels - first < run ? d.channels - first : run;
      const int64_t row = words<Word>(length), step = job.count * row + kApart;
      for (int64_t c = 0; c < length; c += kLanes) {
        for (int i = 0; i < n; i++)
          for (int j = 0; next[i] && j < kStep; j++) __builtin_prefetch(next[i] + j * d.channels + first + c, 0, 2);
        transform_input<n>(pixel, first + c, length - c, step, values + t * row + c / kPerWord<Word>);
      }
      values += n * n * step;
    }
  }
}

// Kernels of `length` channels from `first` on of some panels to [panel][product][word][16]; those kAhead channels on are
// fetched meanwhile.
template <int n, typename Word, typename K>
static void winograd_kernels(const WinogradTiles& job, int64_t panel, int width, int64_t first, int64_t length) {
  constexpr int64_t kAhead = 8, kTaps = 9 * kLanes, kBytes = kPerWord<Word> * kTaps * int64_t(sizeof(K));
  const int64_t step = words<Word>(length) * kLanes + kApart;
  for (int w = 0; w < width; w++) {
    const K* taps = static_cast<const K*>(job.kernels) + ((panel + w) * job.desc->channels + first) * kTaps;
    float* to = job.weights + w * n * n * step;
    for (int64_t c = 0; c < length; c += kPerWord<Word>, to += kLanes) {
      const char* ahead = reinterpret_cast<const char*>(taps + (c + kAhead) * kTaps);
      for (int64_t line = 0; line < kBytes; line += 64) __builtin_prefetch(ahead + line);
      lanes products[kPerWord<Word>][n * n];
      transform_kernels<n>(taps + c * kTaps, products[0]);
      if constexpr (kPerWord<Word> == 1) {
        for (int i = 0; i < n * n; i++) __builtin_memcpy(to + i * step, &products[0][i], sizeof(lanes));
      } else {
        const bool is_last = c + 1 == length;
        if (!is_last) transform_kernels<n>(taps + (c + 1) * kTaps, products[1]);
        for (int i = 0; i < n * n; i++) zip_words(products[0][i], is_last ? lanes(0) : products[1][i], to + i * step);
      }
    }
  }
}

// One product's values meet all panels of a pass while they are in cache.
template <int n, typename Word>
static void winograd_products(const WinogradTiles& job, const Word* values, int64_t length, int width, bool adds) {
  const int64_t value_step = job.count * length + kApart, weight_step = length * kLanes + kApart;
  for (int p = 0; p < n * n; p++) {
    const Word* of_product = values + p * value_step;
    const int64_t bytes = job.count * length * 4;
    for (int w = 0; w < width;) {
      Panels by{job.weights + (w * n * n + p) * weight_step, n * n * weight_step,
                job.products + (w * n * n + p) * job.count * kLanes, n * n * job.count * kLanes, kLanes};
      const char* ahead = w ? nullptr : reinterpret_cast<const char*>(of_product + value_step);
      if (width - w >= kWidth) {
        adds ? product_all<kWidth, true>(job.count, of_product, length, by, length, ahead, bytes)
             : product_all<kWidth, false>(job.count, of_product, length, by, length, ahead, bytes);
        w += kWidth;
      } else {
        adds ? product_all<1, true>(job.count, of_product, length, by, length, ahead, bytes)
             : product_all<1, false>(job.count, of_product, length, by, length, ahead, bytes);
        w++;
      }
    }
  }
}

template <int n, typename X>
static void winograd_outputs(const WinogradTiles& job, int64_t panel, int width) {
  constexpr int m = Filtering<n>::m;
  const ito_winograd_epilogue& after = *job.epilogue;
  const ito_winograd_desc& d = *job.desc;
  const int64_t across = (d.out_width + m - 1) / m, down = (d.out_height + m - 1) / m;
  const X* residual = static_cast<const X*>(after.residual);
  X* out = static_cast<X*>(job.out);
  const int64_t first = (job.first_panel + panel) * kLanes, outputs = d.out_channels - first;
  float bias[kPass<pair> * kLanes] = {};  // as many panels as a pass has at most
  if (after.bias) {
    const int64_t count = width * kLanes < outputs ? width * kLanes : outputs;
    __builtin_memcpy(bias, after.bias + first, size_t(count) * 4);
  }
  for (int64_t t = 0; t < job.count; t++) {
    int64_t tile = job.first_tile + t, sample = tile / (across * down);
    int64_t top = tile / across % down * m, left = tile % across * m;
    int64_t pixel[m * m];  // elements from the first, or -1 where there is none
    for (int i = 0; i < m; i++)
      for (int j = 0; j < m; j++) {
        bool inside = top + i < d.out_height && left + j < d.out_width;
        int64_t at = ((sample * d.out_height + top + i) * d.out_width + left + j) * d.out_channels + first;
        pixel[i * m + j] = inside ? at : -1;
      }
    const bool is_followed = left + 2 * m <= d.out_width;
    for (int w = 0; w < width; w++) {
      // What the next tile is written to.
      for (int i = 0; is_followed && i < m * m; i++)
        if (pixel[i] >= 0) __builtin_prefetch(out + pixel[i] + m * d.out_channels, 1, 2);
      const int64_t left_outputs = outputs - w * kLanes;
      transform_output<n>(job.products + (w * n * n * job.count + t) * kLanes, job.count * kLanes, bias + w * kLanes,
                          residual, after.activation, out, pixel, left_outputs < kLanes ? left_outputs : kLanes);
      for (int i = 0; i < m * m; i++)
        if (pixel[i] >= 0) pixel[i] += kLanes;
    }
  }
}

template <int n, typename Word>
static void winograd_tiles(const WinogradTiles& job) {
  const ito_winograd_desc& d = *job.desc;
  const int64_t run = run_length<n, Word>(d.channels);
  const bool is_half = d.dtype == ITO_BF16;
  is_half ? winograd_inputs<n, Word, bf16>(job, run) : winograd_inputs<n, Word, float>(job, run);
  for (int64_t panel = job.first; panel < job.last_panel;) {
    const int64_t left = job.last_panel - panel;
    const int width = left < kPass<Word> ? int(left) : kPass<Word>;
    const Word* values = reinterpret_cast<const Word*>(job.values);
    for (int64_t first = 0; first < d.channels; first += run) {
      const int64_t length = d.channels - first < run ? d.channels - first : run;
      switch (d.kernel_dtype) {
        case ITO_BF16: winograd_kernels<n, Word, bf16>(job, panel, width, first, length); break;
        case ITO_F16: winograd_kernels<n, Word, f16>(job, panel, width, first, length); break;
        default: winograd_kernels<n, Word, float>(job, panel, width, first, length); break;
      }
      winograd_products<n>(job, values, words<Word>(length), width, first > 0);
      values += n * n * (job.count * words<Word>(length) + kApart);
    }
    is_half ? winograd_outputs<n, bf16>(job, panel, width) : winograd_outputs<n, float>(job, panel, width);
    panel += width;
  }
}

static int64_t winograd_pass(const ito_winograd_desc& d) { return by_pairs(d) ? kPass<pair> : kPass<float>; }
// Words of the values of `count` tiles, and of transformed kernels.
static int64_t winograd_value_count(const ito_winograd_desc& d, int64_t count) {
  int64_t side = products_along_axis(d), channels = (d.channels + kLanes) / (by_pairs(d) ? 2 : 1);
  return side * side * (count * channels + (d.channels / kLanes + 2) * kApart);
}
static int64_t winograd_weight_count(const ito_winograd_desc& d) {
  const int64_t run = by_pairs(d) ? kRunWords<pair> : kRunWords<float>;
  return ((run + 36 * kLanes) * kLanes + 36 * kApart) * winograd_pass(d);
}

template <typename Word>
static void winograd_range_of(const WinogradTiles& job) {
  switch (products_along_axis(*job.desc)) {
    case 3: return winograd_tiles<3, Word>(job);
    case 4: return winograd_tiles<4, Word>(job);
    case 5: return winograd_tiles<5, Word>(job);
    default: return winograd_tiles<6, Word>(job);
  }
}
static void winograd_range(const WinogradTiles& job) {
#if ITO_LEVEL == 3
  if (by_pairs(*job.desc)) return winograd_range_of<pair>(job);
#endif
  winograd_range_of<float>(job);
}
