// Element copies between layouts, for one instruction set. Strides are in bytes.

// One move for copies of a few bytes, which a call to memcpy would dominate.
struct bytes16 {
  uint64_t low, high;
};

template <typename T>
static inline void move(char* out, const char* in) {
  T value;
  __builtin_memcpy(&value, in, sizeof(T));
  __builtin_memcpy(out, &value, sizeof(T));
}

// Copies `n` elements between two strides.
template <typename T>
static void copy_elements(const char* in, int64_t in_stride, char* out, int64_t out_stride, int64_t n) {
  constexpr int64_t size = sizeof(T);
  if (in_stride == 0 && out_stride == size) {
    T value;
    __builtin_memcpy(&value, in, sizeof(T));
    for (int64_t i = 0; i < n; i++) __builtin_memcpy(out + i * size, &value, sizeof(T));
  } else if (in_stride == -size && out_stride == size) {
    for (int64_t i = 0; i < n; i++) move<T>(out + i * size, in - i * size);
  } else if (in_stride == 2 * size && out_stride == size) {
    for (int64_t i = 0; i < n; i++) move<T>(out + i * size, in + 2 * i * size);
  } else {
    for (int64_t i = 0; i < n; i++) move<T>(out + i * out_stride, in + i * in_stride);
  }
}

// Lanes of the square blocks that are transposed in registers.
template <typename T>
constexpr int transpose_lanes() {
  constexpr int vector_bytes = ITO_LEVEL == 2 ? 64 : ITO_LEVEL == 1 ? 32 : 16;
  constexpr int lanes = vector_bytes / int(sizeof(T));
  constexpr int most = sizeof(T) == 2 && ITO_LEVEL < 2 ? 8 : 16;
  return lanes < most ? lanes : most;
}

template <typename T, int N>
struct block {
  typedef T vector __attribute__((vector_size(N * sizeof(T))));
};

// One step of Eklundh's in-place transposition: lanes of rows r and r + D trade their off-diagonal
// D-wide squares.
template <typename V, int N, int D, size_t... J>
static inline void exchange(V& a, V& b, std::index_sequence<J...>) {
  V upper = __builtin_shufflevector(a, b, (J & D ? N + int(J) - D : int(J))...);
  V lower = __builtin_shufflevector(a, b, (J & D ? N + int(J) : int(J) + D)...);
  a = upper;
  b = lower;
}

template <typename V, int N, int D>
static inline void exchange_rows(V* rows) {
#pragma unroll
  for (int r = 0; r < N; r++)
    if (!(r & D)) exchange<V, N, D>(rows[r], rows[r + D], std::make_index_sequence<N>());
}

template <typename T, int N>
static inline void transpose_block(const char* in, int64_t in_row, char* out, int64_t out_row) {
  typedef typename block<T, N>::vector V;
  V rows[N];
#pragma unroll
  for (int r = 0; r < N; r++) __builtin_memcpy(&rows[r], in + r * in_row, sizeof(V));
  if constexpr (N >= 16) exchange_rows<V, N, 8>(rows);
  if constexpr (N >= 8) exchange_rows<V, N, 4>(rows);
  if constexpr (N >= 4) exchange_rows<V, N, 2>(rows);
  if constexpr (N >= 2) exchange_rows<V, N, 1>(rows);
#pragma unroll
  for (int r = 0; r < N; r++) __builtin_memcpy(out + r * out_row, &rows[r], sizeof(V));
}

// out[c][r] = in[r][c]: `rows` of the input at `in_row`, `columns` contiguous elements each.
template <typename T>
static void transpose_tile(const char* in, int64_t in_row, char* out, int64_t out_row, int64_t rows,
                           int64_t columns) {
  constexpr int64_t size = sizeof(T);
  constexpr int N = transpose_lanes<T>();
  int64_t whole_rows = rows / N * N, whole_columns = columns / N * N;
  for (int64_t c = 0; c < whole_columns; c += N)
    for (int64_t r = 0; r < whole_rows; r += N)
      transpose_block<T, N>(in + r * in_row + c * size, in_row, out + c * out_row + r * size, out_row);
  for (int64_t c = 0; c < whole_columns; c++)
    copy_elements<T>(in + whole_rows * in_row + c * size, in_row, out + c * out_row + whole_rows * size, size,
                     rows - whole_rows);
  for (int64_t c = whole_columns; c < columns; c++)
    copy_elements<T>(in + c * size, in_row, out + c * out_row, size, rows);
}
static void transpose_tile16(const char* in, int64_t in_row, char* out, int64_t out_row, int64_t rows,
                             int64_t columns) {
  for (int64_t c = 0; c < columns; c++)
    copy_elements<bytes16>(in + c * 16, in_row, out + c * out_row, 16, rows);
}

static void strided_elements(int size, const char* in, int64_t in_stride, char* out, int64_t out_stride, int64_t n) {
  switch (size) {
    case 1: return copy_elements<uint8_t>(in, in_stride, out, out_stride, n);
    case 2: return copy_elements<uint16_t>(in, in_stride, out, out_stride, n);
    case 4: return copy_elements<uint32_t>(in, in_stride, out, out_stride, n);
    case 8: return copy_elements<uint64_t>(in, in_stride, out, out_stride, n);
    default: return copy_elements<bytes16>(in, in_stride, out, out_stride, n);
  }
}

static void transposed_elements(int size, const char* in, int64_t in_row, char* out, int64_t out_row, int64_t rows,
                                int64_t columns) {
  switch (size) {
    case 1: return transpose_tile<uint8_t>(in, in_row, out, out_row, rows, columns);
    case 2: return transpose_tile<uint16_t>(in, in_row, out, out_row, rows, columns);
    case 4: return transpose_tile<uint32_t>(in, in_row, out, out_row, rows, columns);
    case 8: return transpose_tile<uint64_t>(in, in_row, out, out_row, rows, columns);
    default: return transpose_tile16(in, in_row, out, out_row, rows, columns);
  }
}

// Copies one run; short ones without a call.
static void copy_run(char* out, const char* in, int64_t bytes) {
  if (bytes > 64) {
    __builtin_memcpy(out, in, size_t(bytes));
    return;
  }
  int64_t i = 0;
  for (; i + 8 <= bytes; i += 8) move<uint64_t>(out + i, in + i);
  for (; i < bytes; i++) out[i] = in[i];
}

static void copy_runs(const char* in, int64_t in_stride, char* out, int64_t out_stride, int64_t bytes, int64_t n) {
  for (int64_t i = 0; i < n; i++) copy_run(out + i * out_stride, in + i * in_stride, bytes);
}
