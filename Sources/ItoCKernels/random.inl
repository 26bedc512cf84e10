// Elements are processed eight at a time with clang's vector extension; operations on the vectors
// round like the scalar ones, so every instruction set gives the same bits. A multiply and an add
// are fused only where `fma` is written. The functions are internal, so that how vectors are passed
// without AVX is nobody else's concern.
#pragma clang diagnostic ignored "-Wpsabi"
typedef float float8 __attribute__((ext_vector_type(8)));
typedef int32_t int8 __attribute__((ext_vector_type(8)));
typedef uint32_t uint8 __attribute__((ext_vector_type(8)));
typedef uint64_t wide8 __attribute__((ext_vector_type(8)));

static inline float8 fma(float8 a, float8 b, float8 c) { return __builtin_elementwise_fma(a, b, c); }
static inline float8 choose(int8 mask, float8 yes, float8 no) {
  return __builtin_bit_cast(float8, (mask & __builtin_bit_cast(int8, yes)) |
                                        (~mask & __builtin_bit_cast(int8, no)));
}

// Natural logarithm of a positive normal number. Cephes logf (Moshier), in the form of the
// vector math that torch uses.
static inline float8 logarithm(float8 x) {
  int8 bits = __builtin_bit_cast(int8, x);
  float8 e = __builtin_convertvector((bits >> 23) - 127, float8) + 1.0f;
  x = __builtin_bit_cast(float8, (bits & ~0x7f800000) | 0x3f000000);
  int8 small = x < 0.707106781186547524f;
  e = e - choose(small, float8(1.0f), float8(0.0f));
  x = (x - 1.0f) + choose(small, x, float8(0.0f));
  float8 z = x * x;
  float8 y = 7.0376836292e-2f;
  y = fma(y, x, -1.1514610310e-1f);
  y = fma(y, x, 1.1676998740e-1f);
  y = fma(y, x, -1.2420140846e-1f);
  y = fma(y, x, 1.4249322787e-1f);
  y = fma(y, x, -1.6668057665e-1f);
  y = fma(y, x, 2.0000714765e-1f);
  y = fma(y, x, -2.4999993993e-1f);
  y = fma(y, x, 3.3333331174e-1f);
  y = y * x;
  y = fma(y, z, e * -2.12194440e-4f);
  y = y - z * 0.5f;
  return fma(e, 0.693359375f, x + y);
}

// Sine and cosine of x in [0, 8192). Cephes sinf/cosf, same form.
static inline void sine_cosine(float8 x, float8& sine, float8& cosine) {
  int8 j = (__builtin_convertvector(x * 1.27323954473516f, int8) + 1) & ~1;
  float8 y = __builtin_convertvector(j, float8);
  x = fma(y, -0.78515625f, x);
  x = fma(y, -2.4187564849853515625e-4f, x);
  x = fma(y, -3.77489497744594108e-8f, x);
  float8 z = x * x;
  float8 c = 2.443315711809948e-5f;
  c = fma(c, z, -1.388731625493765e-3f);
  c = fma(c, z, 4.166664568298827e-2f);
  c = c * z;
  c = fma(c, z, z * -0.5f);
  c = c + 1.0f;
  float8 s = -1.9515295891e-4f;
  s = fma(s, z, 8.3321608736e-3f);
  s = fma(s, z, -1.6666654611e-1f);
  s = s * z;
  s = fma(s, x, x);
  int8 keep = (j & 2) == 0;
  int8 sine_sign = (j & 4) << 29;
  int8 cosine_sign = (~(j - 2) & 4) << 29;
  sine = __builtin_bit_cast(float8, __builtin_bit_cast(int8, choose(keep, s, c)) ^ sine_sign);
  cosine = __builtin_bit_cast(float8, __builtin_bit_cast(int8, choose(keep, c, s)) ^ cosine_sign);
}

// u1 in (0, 1], u2 in [0, 1).
static inline void box_muller(float8 u1, float8 u2, float8& first, float8& second) {
  float8 r = __builtin_elementwise_sqrt(-2.0f * logarithm(u1));
  float8 sine, cosine;
  sine_cosine(6.2831853071795864769f * u2, sine, cosine);
  first = r * cosine;
  second = r * sine;
}

static void normal_blocks(float* values, int64_t blocks) {
  for (int64_t b = 0; b < blocks; b++, values += 16) {
    float8 u1, u2, first, second;
    memcpy(&u1, values, 32);
    memcpy(&u2, values + 8, 32);
    box_muller(1.0f - u1, u2, first, second);
    memcpy(values, &first, 32);
    memcpy(values + 8, &second, 32);
  }
}

static inline void philox_round(uint8* c, uint32_t k0, uint32_t k1) {
  wide8 p0 = __builtin_convertvector(c[0], wide8) * 0xD2511F53u;
  wide8 p1 = __builtin_convertvector(c[2], wide8) * 0xCD9E8D57u;
  uint8 high0 = __builtin_convertvector(p0 >> 32, uint8), low0 = __builtin_convertvector(p0, uint8);
  uint8 high1 = __builtin_convertvector(p1 >> 32, uint8), low1 = __builtin_convertvector(p1, uint8);
  c[0] = high1 ^ c[1] ^ k0;
  c[1] = low1;
  c[2] = high0 ^ c[3] ^ k1;
  c[3] = low0;
}

static inline void philox8(uint64_t key, uint8* c) {
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; round++) {
    philox_round(c, k0, k1);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

// Groups [begin, end) of 32 elements; a last, shorter group is written only up to `count`.
static void philox_groups(uint64_t key, uint64_t position, float* out, int64_t count, int64_t begin,
                          int64_t end, bool normal) {
  const wide8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  for (int64_t g = begin; g < end; g++) {
    wide8 n = lanes + (position + 8 * uint64_t(g));
    uint8 c[4] = {__builtin_convertvector(n, uint8), __builtin_convertvector(n >> 32, uint8), uint8(0u),
                  uint8(0u)};
    philox8(key, c);
    float8 v[4];
    for (int pair = 0; pair < 4; pair += 2) {
      float8 u2 = __builtin_convertvector(__builtin_bit_cast(int8, c[pair + 1] >> 8), float8) * 0x1p-24f;
      if (normal) {
        // 31 bits keep the tails out to 6.6; signed, since every instruction set converts those.
        float8 u1 = __builtin_convertvector(__builtin_bit_cast(int8, c[pair] >> 1), float8) * 0x1p-31f;
        box_muller(u1 + 0x1p-32f, u2, v[pair], v[pair + 1]);
      } else {
        v[pair] = __builtin_convertvector(__builtin_bit_cast(int8, c[pair] >> 8), float8) * 0x1p-24f;
        v[pair + 1] = u2;
      }
    }
    int64_t room = count - 32 * g;
    memcpy(out + 32 * g, v, 4 * (room < 32 ? room : 32));
  }
}

static inline uint32_t twisted(uint32_t upper, uint32_t lower) {
  return (((upper & 0x80000000u) | (lower & 0x7fffffffu)) >> 1) ^ (-(lower & 1u) & 0x9908b0dfu);
}

static void twist(uint32_t* s) {
  for (int i = 0; i < 227; i++) s[i] = s[i + 397] ^ twisted(s[i], s[i + 1]);
  for (int i = 227; i < 623; i++) s[i] = s[i - 227] ^ twisted(s[i], s[i + 1]);
  s[623] = s[396] ^ twisted(s[623], s[0]);
}

static inline uint32_t tempered(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

static void temper_words(const uint32_t* s, uint32_t* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = tempered(s[i]);
}
static void temper_uniform(const uint32_t* s, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = float(int32_t(tempered(s[i]) & 0xffffffu)) * 0x1p-24f;
}
