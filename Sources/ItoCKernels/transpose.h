// A matrix with rows and columns exchanged, eight by eight. Included by .inl files, once per level: no include guard.
typedef float octet __attribute__((ext_vector_type(8)));

// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns.
static void transpose(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                      int64_t to_stride) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    int64_t c = 0;
    for (; c + 8 <= columns; c += 8) {
      octet x[8], y[8];
      for (int i = 0; i < 8; i++) __builtin_memcpy(&x[i], from + (r + i) * from_stride + c, sizeof(octet));
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
      for (int64_t i = r; i < r + 8; i++) to[c * to_stride + i] = from[i * from_stride + c];
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) to[c * to_stride + r] = from[r * from_stride + c];
}
