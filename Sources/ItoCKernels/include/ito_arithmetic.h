#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
enum {
  ITO_ADD = 0,
  ITO_SUB = 1,
  ITO_MUL = 2,
  ITO_DIV = 3,
  ITO_MAX = 4,
  ITO_MIN = 5,
  ITO_POW = 6,
  ITO_EQUAL = 7,    // comparisons write one byte per element
  ITO_LESS = 8,
  ITO_GREATER = 9
};
/// out = a (op) b with broadcasting. `dims` are the output axes (at most 8), `sa` and `sb` each
/// operand's strides in elements (0 where it is broadcast). Both operands and, unless `op` compares,
/// the output have element type `dtype` (F32, BF16, I32 or I64).
void ito_binary(int op, int dtype, int rank, const int64_t* dims, const int64_t* sa, const int64_t* sb,
                const void* a, const void* b, void* out);
/// out = scale * in + shift, F32 or BF16; the scalars keep float32 precision either way.
void ito_affine(int dtype, const void* in, void* out, int64_t count, float scale, float shift);
/// out = condition ? a : b, element by element; `size` bytes an element.
void ito_select(const uint8_t* condition, const void* a, const void* b, void* out, int64_t count, int size);

enum { ITO_SUM = 0, ITO_MAXIMUM = 1, ITO_MINIMUM = 2 };
/// Reduces the middle axis of [outer, length, inner] (F32 or BF16) to float32 [outer, inner].
/// Sums use fixed blocks combined in a fixed order, so the result does not depend on the threads.
void ito_reduce(int op, int dtype, const void* in, float* out, int64_t outer, int64_t length, int64_t inner);
#ifdef __cplusplus
}
#endif
