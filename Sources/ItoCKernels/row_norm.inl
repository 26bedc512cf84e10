#include "scalar_types.h"
#include "lanes.h"

// Rows are walked in blocks of this many elements, whose sums are kept in four vectors.
constexpr int64_t kBlock = 64;

// A row is read more than once, so the processor's own prefetch pauses between rows: writing a row
// requests the next one meanwhile, block by block.
template <typename T>
static inline void prefetch_block(const T* p) {
  for (size_t line = 0; line < sizeof(T); line++)
    __builtin_prefetch(reinterpret_cast<const char*>(p) + 64 * line, 0, 2);
}

// Sums of kCount quantities over a row of n elements. `add(i, v)` gets sixteen elements' terms of
// each quantity in v; `rest(i, v)` those of the last n - i < 16, zero beyond. The order of a sum is
// fixed by n alone: the same row gives the same bits wherever it stands and whoever computes it.
template <int kCount, typename Add, typename Rest>
static inline void row_sums(int64_t n, float* sums, const Add& add, const Rest& rest) {
  lanes a[kCount], b[kCount], c[kCount], d[kCount], v[kCount];
  for (int q = 0; q < kCount; q++) a[q] = b[q] = c[q] = d[q] = 0;
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    add(i, v);
    for (int q = 0; q < kCount; q++) a[q] += v[q];
    add(i + 16, v);
    for (int q = 0; q < kCount; q++) b[q] += v[q];
    add(i + 32, v);
    for (int q = 0; q < kCount; q++) c[q] += v[q];
    add(i + 48, v);
    for (int q = 0; q < kCount; q++) d[q] += v[q];
  }
  for (; i + kLanes <= n; i += kLanes) {
    add(i, v);
    for (int q = 0; q < kCount; q++) a[q] += v[q];
  }
  if (i < n) {
    rest(i, v);
    for (int q = 0; q < kCount; q++) b[q] += v[q];
  }
  for (int q = 0; q < kCount; q++) sums[q] = sum_of_lanes((a[q] + b[q]) + (c[q] + d[q]));
}

// Mean (zero unless kCentred) and reciprocal standard deviation of a row.
template <bool kCentred, typename T>
static inline void row_statistics(const T* x, int64_t n, float epsilon, float& mean, float& rstd) {
  float m = 0, square;
  if (kCentred) {
    row_sums<1>(
        n, &m, [=](int64_t i, lanes* v) { load_lanes(*v, x + i); },
        [=](int64_t i, lanes* v) { load_lanes(*v, x + i, n - i, 0.0f); });
    m /= float(n);
  }
  row_sums<1>(
      n, &square,
      [=](int64_t i, lanes* v) {
        load_lanes(*v, x + i);
        *v -= m;
        *v *= *v;
      },
      [=](int64_t i, lanes* v) {
        load_lanes(*v, x + i, n - i, m);
        *v -= m;
        *v *= *v;
      });
  mean = m;
  rstd = 1.0f / __builtin_elementwise_sqrt(square / float(n) + epsilon);
}

template <bool kScale, bool kShift, typename T>
static inline void write_elements(const T* __restrict x, int64_t n, float mean, float rstd, const float* __restrict w,
                                  const float* __restrict b, T* __restrict out) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++)
    store(out + i, (load(x + i) - mean) * (kScale ? rstd * w[i] : rstd) + (kShift ? b[i] : 0.0f));
}

template <bool kCentred, bool kScale, bool kShift, typename T>
static void row_norm_typed(const T* x, const float* w, const float* b, int64_t rows, int64_t n, float epsilon, T* out,
                           float* mean, float* rstd) {
  for (int64_t r = 0; r < rows; r++, x += n, out += n) {
    float m, s;
    row_statistics<kCentred>(x, n, epsilon, m, s);
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      prefetch_block(x + n + i);
      write_elements<kScale, kShift>(x + i, kBlock, m, s, w + i, b + i, out + i);
    }
    if (i < n) write_elements<kScale, kShift>(x + i, n - i, m, s, w + i, b + i, out + i);
    if (kCentred) mean[r] = m;
    rstd[r] = s;
  }
}
template <bool kCentred, typename T>
static void row_norm_choose(const void* input, const float* w, const float* b, int64_t rows, int64_t n, float epsilon,
                            void* output, float* mean, float* rstd) {
  auto norm = w ? (b ? row_norm_typed<kCentred, true, true, T> : row_norm_typed<kCentred, true, false, T>)
                : (b ? row_norm_typed<kCentred, false, true, T> : row_norm_typed<kCentred, false, false, T>);
  norm(static_cast<const T*>(input), w, b, rows, n, epsilon, static_cast<T*>(output), mean, rstd);
}
static void row_norm_range(const void* x, int dtype, const float* w, const float* b, int64_t rows, int64_t n,
                           float epsilon, bool centred, void* out, float* mean, float* rstd) {
  auto norm = dtype == ITO_BF16 ? (centred ? row_norm_choose<true, bf16> : row_norm_choose<false, bf16>)
                                : (centred ? row_norm_choose<true, float> : row_norm_choose<false, float>);
  norm(x, w, b, rows, n, epsilon, out, mean, rstd);
}

// With h = (x - mean) rstd and u = g w:  dx = rstd (u - mean(u) - h mean(u h)), the middle term only
// when the mean was taken out;  dw = sum over rows of g h,  db = sum over rows of g.
template <bool kWeights, typename T>
static inline void gradient_sums(const T* x, const T* g, const float* w, int64_t n, float mean, float rstd,
                                 float* sums, float* dw, float* db) {
  row_sums<2>(
      n, sums,
      [=](int64_t i, lanes* v) {
        lanes h, gi, wi;
        load_lanes(h, x + i);
        load_lanes(gi, g + i);
        load_lanes(wi, w + i);
        h = (h - mean) * rstd;
        v[0] = gi * wi;
        v[1] = v[0] * h;
        if (!kWeights) return;
        lanes sum;
        load_lanes(sum, dw + i);
        sum += gi * h;
        __builtin_memcpy(dw + i, &sum, sizeof(sum));
        load_lanes(sum, db + i);
        sum += gi;
        __builtin_memcpy(db + i, &sum, sizeof(sum));
      },
      [=](int64_t i, lanes* v) {
        lanes h, gi, wi;
        load_lanes(h, x + i, n - i, mean);
        load_lanes(gi, g + i, n - i, 0.0f);
        load_lanes(wi, w + i, n - i, 0.0f);
        h = (h - mean) * rstd;
        v[0] = gi * wi;
        v[1] = v[0] * h;
        if (!kWeights) return;
        for (int64_t k = 0; i + k < n; k++) {
          dw[i + k] += gi[k] * h[k];
          db[i + k] += gi[k];
        }
      });
}

template <typename T>
static inline void write_gradient(const T* __restrict x, const T* __restrict g, const float* __restrict w, int64_t n,
                                  float mean, float rstd, float middle, float slope, T* __restrict dx) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++)
    store(dx + i, load(g + i) * (rstd * w[i]) - middle - (load(x + i) - mean) * slope);
}

template <typename T, bool kWeights>
static void row_norm_gradient_typed(const void* input, const void* upstream, const float* w, int64_t rows, int64_t n,
                                    const float* means, const float* rstds, void* output, float* dw, float* db) {
  const T *x = static_cast<const T*>(input), *g = static_cast<const T*>(upstream);
  T* dx = static_cast<T*>(output);
  for (int64_t r = 0; r < rows; r++, x += n, g += n, dx += n) {
    float mean = means ? means[r] : 0.0f, rstd = rstds[r], sums[2];
    gradient_sums<kWeights>(x, g, w, n, mean, rstd, sums, dw, db);
    float middle = means ? rstd * sums[0] / float(n) : 0.0f;
    float slope = rstd * rstd * sums[1] / float(n);
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      prefetch_block(x + n + i);
      prefetch_block(g + n + i);
      write_gradient(x + i, g + i, w + i, kBlock, mean, rstd, middle, slope, dx + i);
    }
    if (i < n) write_gradient(x + i, g + i, w + i, n - i, mean, rstd, middle, slope, dx + i);
  }
}
static void row_norm_gradient_range(const void* x, const void* g, int dtype, const float* w, int64_t rows, int64_t n,
                                    const float* mean, const float* rstd, void* dx, float* dw, float* db) {
  auto gradient = dtype == ITO_BF16
                      ? (dw ? row_norm_gradient_typed<bf16, true> : row_norm_gradient_typed<bf16, false>)
                      : (dw ? row_norm_gradient_typed<float, true> : row_norm_gradient_typed<float, false>);
  gradient(x, g, w, rows, n, mean, rstd, dx, dw, db);
}
