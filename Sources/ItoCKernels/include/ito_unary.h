#pragma once
// Elementwise functions of one tensor, and gated linear units.
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// The functions `ito_unary` knows. After each: what its gradient needs, the input x or the result y.
enum {
  ITO_UNARY_NONE = -1,        // where a function is optional: none
  ITO_UNARY_EXP = 0,          // y
  ITO_UNARY_LOG = 1,          // x
  ITO_UNARY_SQRT = 2,         // y
  ITO_UNARY_RSQRT = 3,        // y
  ITO_UNARY_ABS = 4,          // x
  ITO_UNARY_SQUARE = 5,       // x
  ITO_UNARY_RECIPROCAL = 6,   // y
  ITO_UNARY_SIN = 7,          // x
  ITO_UNARY_COS = 8,          // x
  ITO_UNARY_TANH = 9,         // x
  ITO_UNARY_ERF = 10,         // x
  ITO_UNARY_SIGMOID = 11,     // x
  ITO_UNARY_CLAMP = 12,       // x; to [a, b]
  ITO_UNARY_SILU = 13,        // x
  ITO_UNARY_GELU = 14,        // x
  ITO_UNARY_GELU_TANH = 15,   // x
  ITO_UNARY_QUICK_GELU = 16,  // x
  ITO_UNARY_RELU = 17,        // y
  ITO_UNARY_MISH = 18,        // x
  ITO_UNARY_SOFTPLUS = 19     // x
};

/// `out[i] = f(x[i])` for `count` elements of `dtype` (ITO_F32 or ITO_BF16). NaN stays NaN.
void ito_unary(int op, const void* x, void* out, int dtype, int64_t count, float a, float b);

/// `out[i] = g[i] f'(x[i])`; `saved` is x or f(x) as listed above.
void ito_unary_gradient(int op, const void* saved, const void* g, void* out, int dtype, int64_t count, float a,
                        float b);

/// Rows of two halves, one the gate: `out[r, i] = hidden[r, i] act(gate[r, i])`, `x` of [rows, 2 n].
/// `op` is a function above that takes no parameters; `gate_first` says which half is the gate.
void ito_gated(int op, const void* x, void* out, int dtype, int64_t rows, int64_t n, int gate_first);

/// Gradient of `ito_gated`: `dx` of [rows, 2 n] from `g` of [rows, n].
void ito_gated_gradient(int op, const void* x, const void* g, void* dx, int dtype, int64_t rows, int64_t n,
                        int gate_first);

#ifdef __cplusplus
}
#endif
