#include "scalar_types.h"
#include "lanes.h"

#ifndef PA
#define PA 0
#define PB 0
#define PC 1
#endif
// Rows are walked in blocks of this many elements.
constexpr int64_t kBlock = 64;

// A row is read more than once, so the processor's own prefetch pauses between rows: the passes over
// a row request the next one meanwhile, block by block.
template <typename T>
static inline void prefetch_block(const T* p) {
  for (size_t line = 0; line < sizeof(T); line++)
    __builtin_prefetch(reinterpret_cast<const char*>(p) + 64 * line, 0, 2);
}
template <typename T>
static inline void prefetch_half(const T* p, int64_t i) {
  const char* q = reinterpret_cast<const char*>(p) + i * sizeof(T) / 2;
  __builtin_prefetch(q, 0, 2);
  if (sizeof(T) == 4) __builtin_prefetch(q + 64, 0, 2);
}

// Rows shorter than this are worked on together, to hide the latency of their sums; of longer ones
// memory likes one after the other best.
template <typename T>
static inline bool is_short(int64_t n) {
  return n * int64_t(sizeof(T)) <= 384;
}

// Means and reciprocal standard deviations of kRows short rows; kCentred false takes the mean for
// zero. The compiler may reorder the sums, which lets it keep several vector accumulators; the order
// it picks is fixed at compile time.
template <typename T, int kRows, bool kCentred>
static void short_statistics(const T* __restrict x, int64_t n, float epsilon, float* mean, float* rstd) {
#pragma clang fp reassociate(on)
  float sum[kRows], square[kRows];
  for (int r = 0; r < kRows; r++) sum[r] = square[r] = 0;
  if (kCentred)
    for (int64_t i = 0; i < n; i++) {
#pragma clang loop unroll(full)
      for (int r = 0; r < kRows; r++) sum[r] += load(x + r * n + i);
    }
  for (int r = 0; r < kRows; r++) sum[r] /= float(n);
  for (int64_t i = 0; i < n; i++) {
#pragma clang loop unroll(full)
    for (int r = 0; r < kRows; r++) {
      float d = load(x + r * n + i) - sum[r];
      square[r] += d * d;
    }
  }
  for (int r = 0; r < kRows; r++) {
    mean[r] = sum[r];
    rstd[r] = 1.0f / __builtin_elementwise_sqrt(square[r] / float(n) + epsilon);
  }
}
template <typename T, bool kCentred>
static void long_statistics(const T* x, int64_t n, float epsilon, float* mean, float* rstd) {
  float m = 0;
  if (kCentred) {
    lanes a = 0, b = 0, c = 0, d = 0, v;
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      if (PA) prefetch_half(x + n, i);
      load_lanes(v, x + i); a += v;
      load_lanes(v, x + i + 16); b += v;
      load_lanes(v, x + i + 32); c += v;
      load_lanes(v, x + i + 48); d += v;
    }
    for (; i + kLanes <= n; i += kLanes) { load_lanes(v, x + i); a += v; }
    if (i < n) { load_lanes(v, x + i, n - i, 0.0f); b += v; }
    m = sum_of_lanes((a + b) + (c + d)) / float(n);
  }
  lanes a = 0, b = 0, c = 0, d = 0, v;
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    if (PB) prefetch_half(x + n + n / 2, i);
    load_lanes(v, x + i); v -= m; a += v * v;
    load_lanes(v, x + i + 16); v -= m; b += v * v;
    load_lanes(v, x + i + 32); v -= m; c += v * v;
    load_lanes(v, x + i + 48); v -= m; d += v * v;
  }
  for (; i + kLanes <= n; i += kLanes) { load_lanes(v, x + i); v -= m; a += v * v; }
  if (i < n) { load_lanes(v, x + i, n - i, m); v -= m; b += v * v; }
  *mean = m;
  *rstd = 1.0f / __builtin_elementwise_sqrt(sum_of_lanes((a + b) + (c + d)) / float(n) + epsilon);
}

template <bool kScale, bool kShift, typename T>
static inline void write_elements(const T* __restrict x, int64_t n, float mean, float rstd, const float* __restrict w,
                                  const float* __restrict b, T* __restrict out) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++)
    store(out + i, (load(x + i) - mean) * (kScale ? rstd * w[i] : rstd) + (kShift ? b[i] : 0.0f));
}

template <bool kCentred, bool kScale, bool kShift, int kRows, typename T>
static void norm_rows(const T* x, int64_t n, float epsilon, const float* w, const float* b, T* out, float* mean,
                      float* rstd) {
  float m[kRows], s[kRows];
  if (kRows > 1)
    short_statistics<T, kRows, kCentred>(x, n, epsilon, m, s);
  else
    long_statistics<T, kCentred>(x, n, epsilon, m, s);
  for (int r = 0; r < kRows; r++) {
    const T* row = x + r * n;
    T* to = out + r * n;
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      if (PC) prefetch_block(row + kRows * n + i);
      write_elements<kScale, kShift>(row + i, kBlock, m[r], s[r], w + i, b + i, to + i);
    }
    if (i < n) write_elements<kScale, kShift>(row + i, n - i, m[r], s[r], w + i, b + i, to + i);
    if (kCentred) mean[r] = m[r];
    rstd[r] = s[r];
  }
}

template <bool kCentred, bool kScale, bool kShift, typename T>
static void row_norm_typed(const T* x, const float* w, const float* b, int64_t rows, int64_t n, float epsilon, T* out,
                           float* mean, float* rstd) {
  int64_t r = 0;
  if (is_short<T>(n))
    for (; r + 4 <= rows; r += 4)
      norm_rows<kCentred, kScale, kShift, 4>(x + r * n, n, epsilon, w, b, out + r * n, mean + r, rstd + r);
  for (; r < rows; r++)
    norm_rows<kCentred, kScale, kShift, 1>(x + r * n, n, epsilon, w, b, out + r * n, mean + r, rstd + r);
}
template <typename T>
static void row_norm_choose(const void* input, const float* w, const float* b, int64_t rows, int64_t n, float epsilon,
                            bool centred, void* output, float* mean, float* rstd) {
  const T* x = static_cast<const T*>(input);
  T* out = static_cast<T*>(output);
  auto norm = centred ? (w ? (b ? row_norm_typed<true, true, true, T> : row_norm_typed<true, true, false, T>)
                           : (b ? row_norm_typed<true, false, true, T> : row_norm_typed<true, false, false, T>))
                      : (w ? row_norm_typed<false, true, false, T> : row_norm_typed<false, false, false, T>);
  norm(x, w, b, rows, n, epsilon, out, mean, rstd);
}
static void row_norm_range(const void* x, int dtype, const float* w, const float* b, int64_t rows, int64_t n,
                           float epsilon, bool centred, void* out, float* mean, float* rstd) {
  auto norm = dtype == ITO_BF16 ? row_norm_choose<bf16> : row_norm_choose<float>;
  norm(x, w, b, rows, n, epsilon, centred, out, mean, rstd);
}

// With h = (x - mean) rstd and u = g w:  dx = rstd (u - mean(u) - h mean(u h)), the middle term only
// when the mean was taken out;  dw = sum over rows of g h,  db = sum over rows of g.
//
// The sums of u and u h of kRows rows; adds to the weight gradients.
template <typename T, int kRows, bool kWeights>
static void gradient_sums(const T* __restrict x, const T* __restrict g, const float* __restrict w, int64_t n,
                          const float* mean, const float* rstd, float* u_sum, float* uh_sum,
                          float* __restrict dw, float* __restrict db) {
#pragma clang fp reassociate(on)
  float m[kRows], s[kRows], us[kRows], uhs[kRows];
  for (int r = 0; r < kRows; r++) {
    m[r] = mean[r];
    s[r] = rstd[r];
    us[r] = uhs[r] = 0;
  }
  for (int64_t i = 0; i < n; i++) {
    float weight = w[i], dwi = 0, dbi = 0;
#pragma clang loop unroll(full)
    for (int r = 0; r < kRows; r++) {
      float h = (load(x + r * n + i) - m[r]) * s[r], gi = load(g + r * n + i);
      float u = gi * weight;
      us[r] += u;
      uhs[r] += u * h;
      dwi += gi * h;
      dbi += gi;
    }
    if (kWeights) {
      dw[i] += dwi;
      db[i] += dbi;
    }
  }
  for (int r = 0; r < kRows; r++) {
    u_sum[r] = us[r];
    uh_sum[r] = uhs[r];
  }
}

template <typename T>
static inline void write_gradient(const T* __restrict x, const T* __restrict g, const float* __restrict w, int64_t n,
                                  float mean, float rstd, float middle, float slope, T* __restrict dx) {
  ITO_WIDE_LOOP
  for (int64_t i = 0; i < n; i++)
    store(dx + i, load(g + i) * (rstd * w[i]) - middle - (load(x + i) - mean) * slope);
}

template <int kRows, bool kWeights, typename T>
static void gradient_rows(const T* x, const T* g, const float* w, int64_t n, const float* mean, const float* rstd,
                          T* dx, float* dw, float* db) {
  float m[kRows], u_sum[kRows], uh_sum[kRows];
  for (int r = 0; r < kRows; r++) m[r] = mean ? mean[r] : 0.0f;
  gradient_sums<T, kRows, kWeights>(x, g, w, n, m, rstd, u_sum, uh_sum, dw, db);
  for (int r = 0; r < kRows; r++) {
    float middle = mean ? rstd[r] * u_sum[r] / float(n) : 0.0f;
    float slope = rstd[r] * rstd[r] * uh_sum[r] / float(n);
    const T *xr = x + r * n, *gr = g + r * n;
    T* out = dx + r * n;
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      prefetch_block(xr + kRows * n + i);
      prefetch_block(gr + kRows * n + i);
      write_gradient(xr + i, gr + i, w + i, kBlock, m[r], rstd[r], middle, slope, out + i);
    }
    if (i < n) write_gradient(xr + i, gr + i, w + i, n - i, m[r], rstd[r], middle, slope, out + i);
  }
}

template <typename T, bool kWeights>
static void row_norm_gradient_typed(const void* input, const void* upstream, const float* w, int64_t rows, int64_t n,
                                    const float* mean, const float* rstd, void* output, float* dw, float* db) {
  const T *x = static_cast<const T*>(input), *g = static_cast<const T*>(upstream);
  T* dx = static_cast<T*>(output);
  int64_t r = 0;
  if (is_short<T>(n))
    for (; r + 2 <= rows; r += 2)
      gradient_rows<2, kWeights>(x + r * n, g + r * n, w, n, mean ? mean + r : nullptr, rstd + r, dx + r * n, dw,
                                       db);
  for (; r < rows; r++)
    gradient_rows<1, kWeights>(x + r * n, g + r * n, w, n, mean ? mean + r : nullptr, rstd + r, dx + r * n, dw,
                                      db);
}
static void row_norm_gradient_range(const void* x, const void* g, int dtype, const float* w, int64_t rows, int64_t n,
                                    const float* mean, const float* rstd, void* dx, float* dw, float* db) {
  auto gradient = dtype == ITO_BF16
                      ? (dw ? row_norm_gradient_typed<bf16, true> : row_norm_gradient_typed<bf16, false>)
                      : (dw ? row_norm_gradient_typed<float, true> : row_norm_gradient_typed<float, false>);
  gradient(x, g, w, rows, n, mean, rstd, dx, dw, db);
}

template <typename T>
static void add_gated_rows(const T* __restrict residual, const T* __restrict x, const float* __restrict gate,
                           int64_t rows, int64_t n, T* __restrict out) {
  for (int64_t r = 0; r < rows; r++, residual += n, x += n, out += n) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) store(out + i, load(residual + i) + gate[i] * load(x + i));
  }
}
static void add_gated_range(const void* residual, const void* x, const float* gate, int dtype, int64_t rows,
                            int64_t n, void* out) {
  if (dtype == ITO_BF16)
    add_gated_rows(static_cast<const bf16*>(residual), static_cast<const bf16*>(x), gate, rows, n,
                   static_cast<bf16*>(out));
  else
    add_gated_rows(static_cast<const float*>(residual), static_cast<const float*>(x), gate, rows, n,
                   static_cast<float*>(out));
}

template <typename T>
static void add_gated_gradient_rows(const T* __restrict x, const float* __restrict gate, const T* __restrict g,
                                    int64_t rows, int64_t n, T* __restrict dx, float* __restrict dgate) {
  for (int64_t r = 0; r < rows; r++, x += n, g += n, dx += n) {
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < n; i++) {
      float gi = load(g + i);
      dgate[i] += gi * load(x + i);
      store(dx + i, gi * gate[i]);
    }
  }
}
static void add_gated_gradient_range(const void* x, const float* gate, const void* g, int dtype, int64_t rows,
                                     int64_t n, void* dx, float* dgate) {
  if (dtype == ITO_BF16)
    add_gated_gradient_rows(static_cast<const bf16*>(x), gate, static_cast<const bf16*>(g), rows, n,
                            static_cast<bf16*>(dx), dgate);
  else
    add_gated_gradient_rows(static_cast<const float*>(x), gate, static_cast<const float*>(g), rows, n,
                            static_cast<float*>(dx), dgate);
}
