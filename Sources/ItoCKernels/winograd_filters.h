// The transforms of minimal filtering. Included after lanes.h by .inl files, once per level: no include guard.

// One-dimensional transforms of a tile by n products; a two-dimensional one applies them along both axes. A tile
// has m outputs and reads n pixels, `step` on from those of the tile before.
template <int n>
struct Filtering;

// F(2, 3): points 0, 1, -1 and infinity; the halves that the kernels' sums take are left to the products.
template <>
struct Filtering<4> {
  static constexpr int m = 2, step = 2;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = 0.5f * (p[1] + p[2]) + p[0];
    y[1] = 0.5f * (p[1] - p[2]) - p[3];
  }
};

// The same of pixels a, b, b, c: the product of b - b is left out.
template <>
struct Filtering<3> {
  static constexpr int m = 2, step = 1;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[1];
    t[1] = d[1];
    t[2] = d[1] - d[2];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = p[0] + p[1];
    y[1] = p[1] - p[2];
  }
};

// F(2, 3) of stride 2: of the pixels with even places F(2, 2) of the outer taps, by points 0, -1 and infinity; of
// the others a product each by the middle tap.
template <>
struct Filtering<5> {
  static constexpr int m = 2, step = 4;
  static inline void input(const lanes* d, lanes* t) {
    t[0] = d[0] - d[2];
    t[1] = d[2];
    t[2] = d[4] - d[2];
    t[3] = d[1];
    t[4] = d[3];
  }
  static inline void output(const lanes* p, lanes* y) {
    y[0] = (p[0] + p[1]) + p[3];
    y[1] = (p[1] + p[2]) + p[4];
  }
};

// F(4, 3): points 0, a, -a, b, -b and infinity with a = 2/3 and b = 3/2, which round least: half as much as 1 and 2.
template <>
struct Filtering<6> {
  static constexpr int m = 4, step = 4;
  static constexpr float a = 2 / 3.0f, b = 3 / 2.0f, a2 = a * a, b2 = b * b, both = 97 / 36.0f;  // a^2 + b^2; a b is 1
  static inline void input(const lanes* d, lanes* t) {
    lanes even = d[4] - b2 * d[2], odd = a * (d[3] - b2 * d[1]);
    lanes even2 = d[4] - a2 * d[2], odd2 = b * (d[3] - a2 * d[1]);
    t[0] = (d[0] - both * d[2]) + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = even2 + odd2;
    t[4] = even2 - odd2;
    t[5] = (d[1] - both * d[3]) + d[5];
  }
  // The products of a, -a, b and -b come multiplied by these: the kernels' transform does so.
  static inline void output(const lanes* p, lanes* y) {
    lanes sum = p[1] + p[2], difference = p[1] - p[2];
    lanes sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    y[0] = (p[0] + b * sum) + a * sum2;
    y[1] = difference + difference2;
    y[2] = a * sum + b * sum2;
    y[3] = (a2 * difference + b2 * difference2) + p[5];
  }
};

// The transform of kernels along one axis to n products: the rows of G (twice those of 1 and -1 of F(2, 3)), without
// contraction, so that every level gives the same bits.
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
    lanes outer = a + c;
    t[0] = a;
    t[1] = outer + b;
    t[2] = outer - b;
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
    // Of 2/3 and -2/3: 2/3 over 2 a^2 (a^2 - b^2) = -130/81. Of 3/2 and -3/2: 3/2 over 2 b^2 (b^2 - a^2) = 65/8.
    lanes even = (-27 / 65.0f) * a + (-12 / 65.0f) * c, odd = (-18 / 65.0f) * b;
    lanes even2 = (12 / 65.0f) * a + (27 / 65.0f) * c, odd2 = (18 / 65.0f) * b;
    t[0] = a;
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = even2 + odd2;
    t[4] = even2 - odd2;
    t[5] = c;
  }
};

// Sixteen kernels of one input channel, `taps` [9, 16], to their n^2 products.
template <int n, typename K>
static inline void transform_kernels(const K* taps, lanes* to) {
  lanes tap[9], rows[3][n];
  for (int t = 0; t < 9; t++) load_lanes(tap[t], taps + t * kLanes);
  for (int j = 0; j < 3; j++) Filters<n>::apply(tap[j], tap[3 + j], tap[6 + j], rows[j]);
  for (int i = 0; i < n; i++) Filters<n>::apply(rows[0][i], rows[1][i], rows[2][i], to + i * n);
}
