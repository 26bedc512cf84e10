// Elementary functions as branch-free float code, so that a plain loop around them vectorises at
// every instruction-set level. Included by kernels' .inl files once per level: no include guard.
//
// Errors are the largest found against double precision over a twentieth of all floats, with and
// without fused multiply-add. NaN gives NaN; infinities give the limit. The polynomials are our
// own minimax fits (relative error weight, coefficients rounded to float one after the other).

static inline uint32_t bits_of(float v) {
  uint32_t u;
  __builtin_memcpy(&u, &v, 4);
  return u;
}
static inline float float_of(uint32_t u) {
  float v;
  __builtin_memcpy(&v, &u, 4);
  return v;
}
static inline float vabs(float x) { return float_of(bits_of(x) & 0x7fffffffu); }
static inline float vcopysign(float magnitude, float sign) {
  return float_of((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

// Adding this rounds a float of magnitude below 2^22 to an integer, which then sits in the low bits.
#define ITO_ROUNDER 12582912.0f

// e^r for |r| <= ln(2)/2.
static inline float exp_reduced(float r) {
  float p = 1.382130547e-3f;
  p = p * r + 8.368668146e-3f;
  p = p * r + 4.166825861e-2f;
  p = p * r + 1.666652113e-1f;
  p = p * r + 4.999999404e-1f;
  return 1.0f + (p * (r * r) + r);
}

// x - k ln 2. The first part of ln 2 has 15 bits, so its product with k is exact without fma.
static inline float exp_remainder(float x, float k) {
  float r = x - k * 0.693145751953125f;
  return r - k * 1.428606820309417e-6f;
}

// e^x over the whole range, subnormal results included. At most 1.0 ulp.
static inline float vexp(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  float t = x * 1.442695041f + ITO_ROUNDER;
  int32_t n = int32_t(bits_of(t) - bits_of(ITO_ROUNDER));
  float p = exp_reduced(exp_remainder(x, t - ITO_ROUNDER));
  int32_t half = n >> 1;  // 2^n alone may be out of range where p 2^n is not
  return p * float_of(uint32_t(half + 127) << 23) * float_of(uint32_t(n - half + 127) << 23);
}

// e^x for use inside other functions: 0 below -87.7 and infinite from 88.4 on. At most 1.0 ulp.
static inline float vexp_normal(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -88.0f ? -88.0f : x;
  float t = x * 1.442695041f + ITO_ROUNDER;
  uint32_t n = bits_of(t) - bits_of(ITO_ROUNDER);
  float p = exp_reduced(exp_remainder(x, t - ITO_ROUNDER));
  return p * float_of((n + 127u) << 23);
}

// log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], plus e ln 2.
static inline float log_reduced(float f, float e) {
  float p = -7.635810226e-2f;
  p = p * f + 1.276190132e-1f;
  p = p * f - 1.315967888e-1f;
  p = p * f + 1.420162320e-1f;
  p = p * f - 1.662340760e-1f;
  p = p * f + 2.000124007e-1f;
  p = p * f - 2.500081956e-1f;
  p = p * f + 3.333333135e-1f;
  float s = f * f;
  float low = e * 1.428606820309417e-6f + (p * (f * s) - 0.5f * s);
  return (low + f) + e * 0.693145751953125f;
}

// Natural logarithm; -infinity at zero, NaN below. At most 0.9 ulp.
static inline float vlog(float x) {
  bool tiny = x < 1.17549435e-38f;  // subnormal, zero or negative
  uint32_t u = bits_of(tiny ? x * 8388608.0f : x);
  uint32_t offset = u - 0x3f3504f3u;  // from sqrt(1/2)
  float e = float(int32_t(offset) >> 23) - (tiny ? 23.0f : 0.0f);
  float m = float_of((offset & 0x007fffffu) + 0x3f3504f3u);
  float y = log_reduced(m - 1.0f, e);
  y = x < __builtin_inff() ? y : x;  // infinity and NaN are their own logarithms
  y = x == 0.0f ? -__builtin_inff() : y;
  return x < 0.0f ? __builtin_nanf("") : y;
}

// log(1 + u) for u in [0, 1]. At most 1.5 ulp.
static inline float vlog1p_unit(float u) {
  bool upper = u > 0.41421356f;
  return log_reduced(upper ? 0.5f * u - 0.5f : u, upper ? 1.0f : 0.0f);
}

// At most 1.4 ulp.
static inline float vtanh(float x) {
  float a = vabs(x), s = x * x;
  float p = -5.714484956e-3f;
  p = p * s + 2.064828202e-2f;
  p = p * s - 5.374279991e-2f;
  p = p * s + 1.333148330e-1f;
  p = p * s - 3.333328366e-1f;
  float small = p * s * x + x;
  float large = vcopysign(1.0f - 2.0f / (vexp_normal(2.0f * a) + 1.0f), x);
  return a < 0.625f ? small : large;
}

// At most 1.3 ulp.
static inline float verf(float x) {
  float a = vabs(x), s = x * x;
  float p = -6.015085964e-4f;
  p = p * s + 4.998120479e-3f;
  p = p * s - 2.677012607e-2f;
  p = p * s + 1.128191724e-1f;
  p = p * s - 3.761250377e-1f;
  p = p * s + 1.283791512e-1f;
  float small = p * x + x;
  // erfc(a) = exp(-a q(a)); erf is 1 in float from 3.92 on.
  float b = a > 4.0f ? 4.0f : a;
  float q = 1.123189213e-5f;
  q = q * b - 3.228126734e-4f;
  q = q * b + 3.642505966e-3f;
  q = q * b - 2.376218326e-2f;
  q = q * b + 1.062370390e-1f;
  q = q * b + 6.351512074e-1f;
  q = q * b + 1.128648520f;
  float large = vcopysign(1.0f - vexp_normal(-b * q), x);
  return a < 0.92f ? small : large;
}

// 1 / (1 + e^-x); 0 below -88.4. At most 2.4 ulp.
static inline float vsigmoid(float x) { return 1.0f / (1.0f + vexp_normal(-x)); }

// The standard normal distribution at x: its cumulative probability and its density.
//
// Both come from one fit of log P(X < -a) for a in [0, 8], the density as its derivative, so that a
// function and its gradient share one exponential. Absolute error of the probability below 1e-7 and of
// the density below 5e-7; relative error of both below 2e-5 for |x| < 5.
static inline void normal_distribution(float x, float& cumulative, float& density) {
  float a = vabs(x);
  float q = -1.237882330e-8f, d = -1.237882330e-8f;
  q = q * a + 4.161096285e-7f;
  d = d * a + q;
  q = q * a - 5.864019840e-6f;
  d = d * a + q;
  q = q * a + 4.397764496e-5f;
  d = d * a + q;
  q = q * a - 1.666108437e-4f;
  d = d * a + q;
  q = q * a - 4.883627844e-5f;
  d = d * a + q;
  q = q * a + 4.866104107e-3f;
  d = d * a + q;
  q = q * a - 3.637836128e-2f;
  d = d * a + q;
  q = q * a - 3.182999194e-1f;
  d = d * a + q;
  q = q * a - 7.978852987e-1f;
  d = d * a + q;
  q = q * a - 6.931471825e-1f;
  float tail = vexp_normal(q);
  cumulative = x < 0.0f ? tail : 1.0f - tail;
  // Where the tail is zero the fit's derivative is huge, and their product must not be NaN.
  density = a >= 14.0f ? 0.0f : -d * tail;
}
static inline float normal_cumulative(float x) {
  float cumulative, density;
  normal_distribution(x, cumulative, density);
  return cumulative;
}

// Sine and cosine of |x| < ITO_TRIGONOMETRIC_LIMIT (beyond it, use the C library: a loop checks its
// block). At most 1.6 ulp, near multiples of pi too: the argument is reduced in double.
#define ITO_TRIGONOMETRIC_LIMIT 1048576.0f
static inline float trigonometric(float x, int32_t quarter) {
  const double rounder = 6755399441055744.0;
  double t = double(x) * 0.63661977236758134 + rounder;
  uint64_t u;
  __builtin_memcpy(&u, &t, 8);
  double k = t - rounder;
  // pi/2 in 33 bits and the rest: the product with k < 2^20 is exact without fma.
  float r = float((double(x) - k * 1.5707963267341256) - k * 6.0771005065061922e-11);
  int32_t quadrant = int32_t(uint32_t(u)) + quarter;
  float s = r * r;
  float a = -1.951878658e-4f;
  a = a * s + 8.332191966e-3f;
  a = a * s - 1.666665524e-1f;
  float sine = a * s * r + r;
  float b = 2.443256381e-5f;
  b = b * s - 1.388731063e-3f;
  b = b * s + 4.166664556e-2f;
  float cosine = b * (s * s) + (1.0f - 0.5f * s);
  float y = quadrant & 1 ? cosine : sine;
  return float_of(bits_of(y) ^ (uint32_t(quadrant & 2) << 30));
}
static inline float vsin(float x) { return trigonometric(x, 0); }
static inline float vcos(float x) { return trigonometric(x, 1); }
