// The transform of kernels by minimal filtering. Included after lanes.h by .inl files, once per level: no include guard.

// The transform of kernels along one axis to n products: the rows of G, multiplied out in their order, so
// that every level and the plain formula give the same bits.
template <int n>
struct Filters;
// For pixels that are doubled: those of F(2, 3) without the product that vanishes, the one of the middle
// pixel's sum with itself taken once.
template <>
struct Filters<3> {
  static inline void apply(const lanes& a, const lanes& b, const lanes& c, lanes* t) {
#pragma clang fp contract(off)
    t[0] = a;
    t[1] = (a + b) + c;
    t[2] = c;
  }
};
template <>
struct Filters<4> {
  static inline void apply(const lanes& a, const lanes& b, const lanes& c, lanes* t) {
#pragma clang fp contract(off)
    lanes x = 0.5f * a, y = 0.5f * b, z = 0.5f * c;
    t[0] = a;
    t[1] = (x + y) + z;
    t[2] = (x - y) + z;
    t[3] = c;
  }
};
template <>
struct Filters<5> {
  static inline void apply(const lanes& a, const lanes& b, const lanes& c, lanes* t) {
    t[0] = a;
    t[1] = a + c;
    t[2] = c;
    t[3] = t[4] = b;
  }
};
template <>
struct Filters<6> {
  static inline void apply(const lanes& a, const lanes& b, const lanes& c, lanes* t) {
#pragma clang fp contract(off)
    lanes x = (1 / 6.0f) * a, y = (1 / 6.0f) * b, z = (1 / 6.0f) * c;
    lanes u = (1 / 24.0f) * a, v = (1 / 12.0f) * b;
    t[0] = (1 / 4.0f) * a;
    t[1] = -((x + y) + z);
    t[2] = (y - x) - z;
    t[3] = (u + v) + z;
    t[4] = (u - v) + z;
    t[5] = c;
  }
};

// Sixteen kernels of one input channel, `taps` [9, 16], to their products, each `step` floats from the one before.
template <int n, typename K>
static inline void transform_kernels(const K* taps, int64_t step, float* to) {
  lanes tap[9], rows[3][n];
  for (int t = 0; t < 9; t++) load_lanes(tap[t], taps + t * kLanes);
  for (int j = 0; j < 3; j++) Filters<n>::apply(tap[j], tap[3 + j], tap[6 + j], rows[j]);
  for (int i = 0; i < n; i++) {
    lanes t[n];
    Filters<n>::apply(rows[0][i], rows[1][i], rows[2][i], t);
    for (int j = 0; j < n; j++) __builtin_memcpy(to + (i * n + j) * step, &t[j], sizeof(lanes));
  }
}
