// A matrix with rows and columns exchanged, eight by eight, widened on the way where it is in half precision. Included
// after scalar_types.h by .inl files, once per level: no include guard.
typedef float octet __attribute__((ext_vector_type(8)));

static inline void load_octet(octet& v, const float* p) { __builtin_memcpy(&v, p, sizeof(v)); }
static inline void load_octet(octet& v, const bf16* p) {
  typedef uint16_t halves __attribute__((ext_vector_type(8)));
  typedef uint32_t words __attribute__((ext_vector_type(8)));
  halves half;
  __builtin_memcpy(&half, p, sizeof(half));
  words wide = __builtin_convertvector(half, words) << 16;
  __builtin_memcpy(&v, &wide, sizeof(v));
}
static inline void load_octet(octet& v, const f16* p) {
#if ITO_LEVEL >= 1
  typedef _Float16 halves __attribute__((ext_vector_type(8)));
  halves half;
  __builtin_memcpy(&half, p, sizeof(half));
  v = __builtin_convertvector(half, octet);
#else
  for (int i = 0; i < 8; i++) v[i] = load(p + i);
#endif
}

// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns.
template <typename T>
static void transpose(const T* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                      int64_t to_stride) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    int64_t c = 0;
    for (; c + 8 <= columns; c += 8) {
      octet x[8], y[8];
      for (int i = 0; i < 8; i++) load_octet(x[i], from + (r + i) * from_stride + c);
      for (int i = 0; i < 8; i += 2) {
        y[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        y[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
      }
      for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
          x[i + 2 * j] = __builtin_shufflevector(y[i + j], y[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
          x[i + 2 * j + 1] = __builtin_shufflevector(y[i + j], y[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
      for (int i = 0; i < 4; i++) {
        y[i] = __builtin_shufflevector(x[i], x[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        y[i + 4] = __builtin_shufflevector(x[i], x[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
      }
      for (int i = 0; i < 8; i++) __builtin_memcpy(to + (c + i) * to_stride + r, &y[i], sizeof(octet));
    }
    for (; c < columns; c++)
      for (int64_t i = r; i < r + 8; i++) to[c * to_stride + i] = load(from + i * from_stride + c);
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) to[c * to_stride + r] = load(from + r * from_stride + c);
}
