// The elementwise functions with their derivatives, as types a loop is instantiated with. Included
// by .inl files once per instruction set, after vector_math.h: no include guard.
//
// `value(x, a, b)` is the function. `slope(s, a, b)` is its derivative, from x or from the result,
// as ito_unary.h lists. A type that says `limited` is exact only below ITO_TRIGONOMETRIC_LIMIT and
// has `exact_value` and `exact_slope` for what lies beyond.

struct Elementwise {
  static constexpr bool limited = false;
  static double exact_value(double) { return 0; }
  static double exact_slope(double) { return 0; }
};

struct Exp : Elementwise {
  static float value(float x, float, float) { return vexp(x); }
  static float slope(float y, float, float) { return y; }
};
struct Log : Elementwise {
  static float value(float x, float, float) { return vlog(x); }
  static float slope(float x, float, float) { return 1.0f / x; }
};
struct Sqrt : Elementwise {
  static float value(float x, float, float) { return __builtin_elementwise_sqrt(x); }
  static float slope(float y, float, float) { return 0.5f / y; }
};
struct Rsqrt : Elementwise {
  static float value(float x, float, float) { return 1.0f / __builtin_elementwise_sqrt(x); }
  static float slope(float y, float, float) { return -0.5f * y * y * y; }
};
struct Abs : Elementwise {
  static float value(float x, float, float) { return vabs(x); }
  static float slope(float x, float, float) { return x == 0.0f ? 0.0f : vcopysign(1.0f, x); }
};
struct Square : Elementwise {
  static float value(float x, float, float) { return x * x; }
  static float slope(float x, float, float) { return 2.0f * x; }
};
struct Reciprocal : Elementwise {
  static float value(float x, float, float) { return 1.0f / x; }
  static float slope(float y, float, float) { return -y * y; }
};
struct Sin : Elementwise {
  static constexpr bool limited = true;
  static float value(float x, float, float) { return vsin(x); }
  static float slope(float x, float, float) { return vcos(x); }
  static double exact_value(double x) { return __builtin_sin(x); }
  static double exact_slope(double x) { return __builtin_cos(x); }
};
struct Cos : Elementwise {
  static constexpr bool limited = true;
  static float value(float x, float, float) { return vcos(x); }
  static float slope(float x, float, float) { return -vsin(x); }
  static double exact_value(double x) { return __builtin_cos(x); }
  static double exact_slope(double x) { return -__builtin_sin(x); }
};
struct Tanh : Elementwise {
  static float value(float x, float, float) { return vtanh(x); }
  static float slope(float x, float, float) {
    // 1 - tanh^2 = 4 e / (1 + e)^2 with e = exp(-2 |x|), free of cancellation.
    float e = vexp_normal(-2.0f * vabs(x)), d = 1.0f + e;
    return 4.0f * e / (d * d);
  }
};
struct Erf : Elementwise {
  static float value(float x, float, float) { return verf(x); }
  static float slope(float x, float, float) { return 1.128379167f * vexp_normal(-x * x); }
};
struct Sigmoid : Elementwise {
  static float value(float x, float, float) { return vsigmoid(x); }
  static float slope(float x, float, float) {
    float e = vexp_normal(-vabs(x)), d = 1.0f + e;
    return e / (d * d);
  }
};
struct Clamp : Elementwise {
  static float value(float x, float a, float b) { return x < a ? a : x > b ? b : x; }
  static float slope(float x, float a, float b) { return x >= a && x <= b ? 1.0f : 0.0f; }
};
// x sigmoid(x), Elfwing et al. 2017 (arXiv:1702.03118).
struct Silu : Elementwise {
  static float value(float x, float, float) { return x * vsigmoid(x); }
  static float slope(float x, float, float) {
    float s = vsigmoid(x);
    return s + x * (s * (1.0f - s));
  }
};
// x P(X < x) of a standard normal X, Hendrycks and Gimpel 2016 (arXiv:1606.08415).
struct Gelu : Elementwise {
  static float value(float x, float, float) { return x * normal_cumulative(x); }
  static float slope(float x, float, float) {
    float cumulative, density;
    normal_distribution(x, cumulative, density);
    return cumulative + x * density;
  }
};
// The same paper's approximation 0.5 x (1 + tanh(u)), written as x sigmoid(2 u).
struct GeluTanh : Elementwise {
  static float value(float x, float, float) {
    return x * vsigmoid(x * (1.595769122f + 0.07135481283f * (x * x)));
  }
  static float slope(float x, float, float) {
    float q = x * x;
    float s = vsigmoid(x * (1.595769122f + 0.07135481283f * q));
    // Far out the first factor is zero and the second may overflow.
    float inner = s * (1.0f - s);
    return s + (inner == 0.0f ? 0.0f : x * inner * (1.595769122f + 0.2140644385f * q));
  }
};
struct QuickGelu : Elementwise {
  static float value(float x, float, float) { return x * vsigmoid(1.702f * x); }
  static float slope(float x, float, float) {
    float s = vsigmoid(1.702f * x);
    return s + 1.702f * x * (s * (1.0f - s));
  }
};
struct Relu : Elementwise {
  static float value(float x, float, float) { return x < 0.0f ? 0.0f : x; }
  static float slope(float y, float, float) { return y > 0.0f ? 1.0f : 0.0f; }
};
// x tanh(log(1 + e^x)), Misra 2019 (arXiv:1908.08681): with n = e^x and w = n (n + 2) the tanh is
// w / (w + 2), which is 1 in float from x = 10 on.
struct Mish : Elementwise {
  static float value(float x, float, float) {
    float n = vexp_normal(x > 20.0f ? 20.0f : x), w = n * (n + 2.0f);
    return x * (w / (w + 2.0f));
  }
  static float slope(float x, float, float) {
    float n = vexp_normal(x > 20.0f ? 20.0f : x), w = n * (n + 2.0f), d = 1.0f / (w + 2.0f);
    return x > 20.0f ? 1.0f : w * d + x * (4.0f * n * (n + 1.0f) * d * d);
  }
};
struct Softplus : Elementwise {
  static float value(float x, float, float) {
    return (x < 0.0f ? 0.0f : x) + vlog1p_unit(vexp_normal(-vabs(x)));
  }
  static float slope(float x, float, float) { return vsigmoid(x); }
};

#define ITO_FOR_EACH_UNARY(CASE)     \
  CASE(ITO_UNARY_EXP, Exp)           \
  CASE(ITO_UNARY_LOG, Log)           \
  CASE(ITO_UNARY_SQRT, Sqrt)         \
  CASE(ITO_UNARY_RSQRT, Rsqrt)       \
  CASE(ITO_UNARY_ABS, Abs)           \
  CASE(ITO_UNARY_SQUARE, Square)     \
  CASE(ITO_UNARY_RECIPROCAL, Reciprocal) \
  CASE(ITO_UNARY_SIN, Sin)           \
  CASE(ITO_UNARY_COS, Cos)           \
  CASE(ITO_UNARY_TANH, Tanh)         \
  CASE(ITO_UNARY_ERF, Erf)           \
  CASE(ITO_UNARY_SIGMOID, Sigmoid)   \
  CASE(ITO_UNARY_CLAMP, Clamp)       \
  CASE(ITO_UNARY_SILU, Silu)         \
  CASE(ITO_UNARY_GELU, Gelu)         \
  CASE(ITO_UNARY_GELU_TANH, GeluTanh) \
  CASE(ITO_UNARY_QUICK_GELU, QuickGelu) \
  CASE(ITO_UNARY_RELU, Relu)         \
  CASE(ITO_UNARY_MISH, Mish)         \
  CASE(ITO_UNARY_SOFTPLUS, Softplus)

// The activations of networks.
#define ITO_FOR_EACH_ACTIVATION(CASE)    \
  CASE(ITO_UNARY_SILU, Silu)             \
  CASE(ITO_UNARY_GELU, Gelu)             \
  CASE(ITO_UNARY_GELU_TANH, GeluTanh)    \
  CASE(ITO_UNARY_QUICK_GELU, QuickGelu)  \
  CASE(ITO_UNARY_RELU, Relu)             \
  CASE(ITO_UNARY_MISH, Mish)

// The activations a gated linear unit may use.
#define ITO_FOR_EACH_GATE(CASE)       \
  CASE(ITO_UNARY_SIGMOID, Sigmoid)    \
  CASE(ITO_UNARY_SILU, Silu)          \
  CASE(ITO_UNARY_GELU, Gelu)          \
  CASE(ITO_UNARY_GELU_TANH, GeluTanh) \
  CASE(ITO_UNARY_RELU, Relu)

// An activation of `count` numbers.
template <typename F, int64_t count>
static void activate_row_as(float* row) {
  ITO_WIDE_LOOP
  for (int64_t c = 0; c < count; c++) row[c] = F::value(row[c], 0, 0);
}
template <int64_t count>
static void activate_row(int64_t activation, float* row) {
  switch (activation) {
#define CASE(NAME, F) \
  case NAME: return activate_row_as<F, count>(row);
    ITO_FOR_EACH_ACTIVATION(CASE)
#undef CASE
  }
}
