// Storage types of half precision and their conversions, for use inside kernel sources. Included
// by kernels' .inl files once per instruction set, so no include guard.

// Before a loop that stores bfloat16: the compiler overrates the cost of the rounding and would pick
// narrow vectors. The second is for loops that may write each element where they read it and nothing
// else: checks that the two do not overlap would leave those without vectors.
#undef ITO_WIDE_LOOP
#undef ITO_WIDE_LOOP_IN_PLACE
#if ITO_LEVEL >= 2
#define ITO_WIDE_LOOP _Pragma("clang loop vectorize_width(16)")
#define ITO_WIDE_LOOP_IN_PLACE _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#else
#define ITO_WIDE_LOOP
#define ITO_WIDE_LOOP_IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#endif

struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

static inline float load(const float* p) { return *p; }
static inline float load(const bf16* p) {
  uint32_t u = uint32_t(p->bits) << 16;
  float f;
  __builtin_memcpy(&f, &u, 4);
  return f;
}
static inline void store(float* p, float v) { *p = v; }
// Round to nearest even; NaN stays NaN.
#if ITO_LEVEL == 3
// The instruction takes subnormal values (below 1.2e-38) for zero.
static inline void store(bf16* p, float v) {
  __bf16 rounded = static_cast<__bf16>(v);
  __builtin_memcpy(p, &rounded, 2);
}
#else
static inline void store(bf16* p, float v) {
  uint32_t u;
  __builtin_memcpy(&u, &v, 4);
  uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  uint32_t quiet = (u >> 16) | 0x40u;
  p->bits = uint16_t((u & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}
#endif
// IEEE half: scaled through float32 so that subnormals come out right.
static inline float load(const f16* p) {
  uint32_t h = p->bits, sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
  uint32_t u = (rest << 13) + 0x38000000u;
  float normal, magic = 6.103515625e-05f;  // 2^-14
  __builtin_memcpy(&normal, &u, 4);
  uint32_t s = (rest << 13) + 0x38800000u;
  float subnormal;
  __builtin_memcpy(&subnormal, &s, 4);
  subnormal -= magic;
  uint32_t inf = (rest << 13) | 0x7f800000u;
  float special;
  __builtin_memcpy(&special, &inf, 4);
  float value = rest >= 0x7c00u ? special : rest < 0x400u ? subnormal : normal;
  uint32_t out;
  __builtin_memcpy(&out, &value, 4);
  out |= sign;
  __builtin_memcpy(&value, &out, 4);
  return value;
}
static inline void store(f16* p, float v) {
  uint32_t u;
  __builtin_memcpy(&u, &v, 4);
  uint32_t sign = (u >> 16) & 0x8000u, mag = u & 0x7fffffffu;
  uint32_t normal = (mag + 0xc8000fffu + ((mag >> 13) & 1u)) >> 13;
  float absolute;
  __builtin_memcpy(&absolute, &mag, 4);
  float shifted = absolute + 0.5f;  // rounds to a multiple of 2^-24 in the low bits
  uint32_t s;
  __builtin_memcpy(&s, &shifted, 4);
  uint32_t subnormal = s - 0x3f000000u;
  uint32_t nan = 0x7e00u;
  uint32_t h = mag > 0x7f800000u ? nan : mag >= 0x477ff000u ? 0x7c00u : mag < 0x38800000u ? subnormal : normal;
  p->bits = uint16_t(sign | h);
}
