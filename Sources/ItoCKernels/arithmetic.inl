#include "scalar_types.h"

struct Add { template <typename T> static inline T apply(T a, T b) { return a + b; } };
struct Sub { template <typename T> static inline T apply(T a, T b) { return a - b; } };
struct Mul { template <typename T> static inline T apply(T a, T b) { return a * b; } };
struct Div {
  static inline float apply(float a, float b) { return a / b; }
  // Integer division by zero gives zero rather than a signal.
  static inline int32_t apply(int32_t a, int32_t b) { return b == 0 ? 0 : b == -1 ? int32_t(0u - uint32_t(a)) : a / b; }
  static inline int64_t apply(int64_t a, int64_t b) { return b == 0 ? 0 : b == -1 ? int64_t(uint64_t(0) - uint64_t(a)) : a / b; }
};
// NaN in either operand gives NaN, as in NumPy.
struct Max {
  static inline float apply(float a, float b) { return a > b || a != a ? a : b; }
  template <typename T> static inline T apply(T a, T b) { return a > b ? a : b; }
};
struct Min {
  static inline float apply(float a, float b) { return a < b || a != a ? a : b; }
  template <typename T> static inline T apply(T a, T b) { return a < b ? a : b; }
};
struct Pow {
  static inline float apply(float a, float b) { return powf(a, b); }
  template <typename T> static inline T apply(T a, T b) { return T(pow(double(a), double(b))); }
};
struct Equal { template <typename T> static inline uint8_t apply(T a, T b) { return a == b; } };
struct Less { template <typename T> static inline uint8_t apply(T a, T b) { return a < b; } };
struct Greater { template <typename T> static inline uint8_t apply(T a, T b) { return a > b; } };

static inline int32_t load(const int32_t* p) { return *p; }
static inline int64_t load(const int64_t* p) { return *p; }
static inline void store(int32_t* p, int32_t v) { *p = v; }
static inline void store(int64_t* p, int64_t v) { *p = v; }
static inline void store(uint8_t* p, uint8_t v) { *p = v; }

// One run along the innermost axis; strides are 0 or 1 after normalisation.
template <typename Op, typename T, typename R>
static void binary_run(const T* a, const T* b, R* out, int64_t n, int64_t sa, int64_t sb) {
  if (sa == 1 && sb == 1) {
    for (int64_t i = 0; i < n; i++) store(out + i, Op::apply(load(a + i), load(b + i)));
  } else if (sa == 1 && sb == 0) {
    const auto right = load(b);
    for (int64_t i = 0; i < n; i++) store(out + i, Op::apply(load(a + i), right));
  } else if (sa == 0 && sb == 1) {
    const auto left = load(a);
    for (int64_t i = 0; i < n; i++) store(out + i, Op::apply(left, load(b + i)));
  } else {
    for (int64_t i = 0; i < n; i++) store(out + i, Op::apply(load(a + i * sa), load(b + i * sb)));
  }
}

template <typename Op, typename T, typename R>
static void binary_typed(const BinaryJob& job, int64_t begin, int64_t end) {
  // [begin, end) counts elements when there is one axis, else runs along the innermost axis.
  const T* a = static_cast<const T*>(job.a);
  const T* b = static_cast<const T*>(job.b);
  R* out = static_cast<R*>(job.out);
  int last = job.rank - 1;
  int64_t n = job.dims[last];
  if (job.rank == 1) {
    binary_run<Op>(a + begin * job.sa[0], b + begin * job.sb[0], out + begin, end - begin, job.sa[0], job.sb[0]);
    return;
  }
  for (int64_t run = begin; run < end; run++) {
    int64_t rest = run, oa = 0, ob = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      int64_t i = rest % job.dims[axis];
      rest /= job.dims[axis];
      oa += i * job.sa[axis];
      ob += i * job.sb[axis];
    }
    binary_run<Op>(a + oa, b + ob, out + run * n, n, job.sa[last], job.sb[last]);
  }
}

template <typename T>
static void binary_op(const BinaryJob& job, int64_t begin, int64_t end) {
  switch (job.op) {
    case ITO_ADD: return binary_typed<Add, T, T>(job, begin, end);
    case ITO_SUB: return binary_typed<Sub, T, T>(job, begin, end);
    case ITO_MUL: return binary_typed<Mul, T, T>(job, begin, end);
    case ITO_DIV: return binary_typed<Div, T, T>(job, begin, end);
    case ITO_MAX: return binary_typed<Max, T, T>(job, begin, end);
    case ITO_MIN: return binary_typed<Min, T, T>(job, begin, end);
    case ITO_POW: return binary_typed<Pow, T, T>(job, begin, end);
    case ITO_EQUAL: return binary_typed<Equal, T, uint8_t>(job, begin, end);
    case ITO_LESS: return binary_typed<Less, T, uint8_t>(job, begin, end);
    default: return binary_typed<Greater, T, uint8_t>(job, begin, end);
  }
}

static void binary_range(const BinaryJob& job, int64_t begin, int64_t end) {
  switch (job.dtype) {
    case ITO_F32: return binary_op<float>(job, begin, end);
    case ITO_BF16: return binary_op<bf16>(job, begin, end);
    case ITO_I32: return binary_op<int32_t>(job, begin, end);
    default: return binary_op<int64_t>(job, begin, end);
  }
}

template <typename T>
static void affine_typed(const void* in, void* out, int64_t n, float scale, float shift) {
  const T* from = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  for (int64_t i = 0; i < n; i++) store(to + i, scale * load(from + i) + shift);
}
static void affine_range(int dtype, const void* in, void* out, int64_t n, float scale, float shift) {
  if (dtype == ITO_BF16) return affine_typed<bf16>(in, out, n, scale, shift);
  return affine_typed<float>(in, out, n, scale, shift);
}

// ---- Reductions ----

struct Sum {
  static inline float start() { return 0.0f; }
  static inline float apply(float a, float b) { return a + b; }
};
struct Maximum {
  static inline float start() { return -__builtin_inff(); }
  static inline float apply(float a, float b) { return a > b || a != a ? a : b; }
};
struct Minimum {
  static inline float start() { return __builtin_inff(); }
  static inline float apply(float a, float b) { return a < b || a != a ? a : b; }
};

// Reduces one contiguous row with 32 partial results, so that it vectorises in a fixed order.
template <typename Op, typename T>
static float reduce_row(const T* row, int64_t n) {
  float lanes[32];
  for (int k = 0; k < 32; k++) lanes[k] = Op::start();
  int64_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int k = 0; k < 32; k++) lanes[k] = Op::apply(lanes[k], load(row + i + k));
  for (int k = 0; i + k < n; k++) lanes[k] = Op::apply(lanes[k], load(row + i + k));
  for (int width = 16; width > 0; width /= 2)
    for (int k = 0; k < width; k++) lanes[k] = Op::apply(lanes[k], lanes[k + width]);
  return lanes[0];
}

// acc[0..inner) = reduction of `rows` rows of `inner` elements.
template <typename Op, typename T>
static void reduce_columns(const T* in, float* acc, int64_t rows, int64_t inner, int64_t stride) {
  for (int64_t c = 0; c < inner; c++) acc[c] = Op::start();
  for (int64_t r = 0; r < rows; r++) {
    const T* row = in + r * stride;
    for (int64_t c = 0; c < inner; c++) acc[c] = Op::apply(acc[c], load(row + c));
  }
}

template <typename Op, typename T>
static void reduce_typed(const ReduceJob& job, int64_t begin, int64_t end) {
  const T* in = static_cast<const T*>(job.in);
  for (int64_t item = begin; item < end; item++) {
    int64_t outer = item / job.blocks, block = item % job.blocks;
    int64_t first = block * job.block_rows;
    int64_t rows = job.length - first < job.block_rows ? job.length - first : job.block_rows;
    const T* start = in + (outer * job.length + first) * job.inner;
    float* out = job.partial + (outer * job.blocks + block) * job.inner;
    if (job.inner == 1) {
      *out = reduce_row<Op>(start, rows);
    } else {
      reduce_columns<Op>(start, out, rows, job.inner, job.inner);
    }
  }
}

template <typename T>
static void reduce_op(const ReduceJob& job, int64_t begin, int64_t end) {
  switch (job.op) {
    case ITO_SUM: return reduce_typed<Sum, T>(job, begin, end);
    case ITO_MAXIMUM: return reduce_typed<Maximum, T>(job, begin, end);
    default: return reduce_typed<Minimum, T>(job, begin, end);
  }
}

static void reduce_range(const ReduceJob& job, int64_t begin, int64_t end) {
  if (job.dtype == ITO_BF16) return reduce_op<bf16>(job, begin, end);
  return reduce_op<float>(job, begin, end);
}
