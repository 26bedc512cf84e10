// Sixteen floats as one value, for loops that carry vectors from block to block (sums that also
// prefetch, maxima), which plain loops do not turn into. The compiler splits it into as many
// registers as the instruction set needs, so the order of a sum is the same at every level. Included
// after scalar_types.h by .inl files, once per level: no include guard. Arguments go by reference:
// by value their passing would depend on the level.
typedef float lanes __attribute__((ext_vector_type(16)));
typedef uint16_t lanes_u16 __attribute__((ext_vector_type(16)));
typedef uint32_t lanes_u32 __attribute__((ext_vector_type(16)));
constexpr int64_t kLanes = 16;

static inline void load_lanes(lanes& v, const float* p) { __builtin_memcpy(&v, p, sizeof(v)); }
static inline void load_lanes(lanes& v, const bf16* p) {
  lanes_u16 half;
  __builtin_memcpy(&half, p, sizeof(half));
  lanes_u32 wide = __builtin_convertvector(half, lanes_u32) << 16;
  __builtin_memcpy(&v, &wide, sizeof(v));
}
static inline void load_lanes(lanes& v, const f16* p) {
#if ITO_LEVEL >= 1
  typedef _Float16 lanes_f16 __attribute__((ext_vector_type(16)));
  lanes_f16 half;
  __builtin_memcpy(&half, p, sizeof(half));
  v = __builtin_convertvector(half, lanes);
#else
  for (int i = 0; i < 16; i++) v[i] = load(p + i);
#endif
}
// The first `count` < 16 elements, the rest `filler`.
template <typename T>
static inline void load_lanes(lanes& v, const T* p, int64_t count, float filler) {
  float values[kLanes];
  for (int64_t i = 0; i < kLanes; i++) values[i] = i < count ? load(p + i) : filler;
  load_lanes(v, values);
}
// The first `count` <= 16 of the values at `v`.
static inline void store_lanes(float* p, const float* v, int64_t count) {
  if (count == kLanes)
    __builtin_memcpy(p, v, sizeof(lanes));
  else
    __builtin_memcpy(p, v, size_t(count) * 4);
}
static inline void store_lanes(bf16* p, const float* v, int64_t count) {
  if (count == kLanes) {
#if ITO_LEVEL == 3
    typedef __bf16 lanes_bf16 __attribute__((ext_vector_type(16)));
    lanes wide;
    load_lanes(wide, v);
    const lanes_bf16 rounded = __builtin_convertvector(wide, lanes_bf16);
    __builtin_memcpy(p, &rounded, sizeof(rounded));
#else
    ITO_WIDE_LOOP
    for (int64_t i = 0; i < kLanes; i++) store(p + i, v[i]);
#endif
  } else {
    for (int64_t i = 0; i < count; i++) store(p + i, v[i]);
  }
}
static inline float sum_of_lanes(const lanes& v) {
  auto eight = v.lo + v.hi;
  auto four = eight.lo + eight.hi;
  auto two = four.lo + four.hi;
  return two.x + two.y;
}
