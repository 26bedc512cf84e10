// Compiles one kernel source once per instruction set and picks at run time.
//
// A kernel family lives in `name.inl`, written as plain loops inside no namespace of its own. The
// wrapper `name.cpp` says
//
//     #define ITO_KERNELS "name.inl"
//     #include "multiversion.h"
//
// and gets the namespaces `portable`, `avx2` and `avx512`, each holding the same functions compiled
// for that target. `ITO_DISPATCH(f)(args…)` calls the one for `ito_isa()`. Lambdas and function
// templates inside the .inl are compiled for the target too. Standard headers must be included by
// the wrapper before this file, never by the .inl.
//
// A family that mostly computes and then rounds to bfloat16, or multiplies it, also defines
// ITO_KERNELS_ROUND_BF16 and gets a fourth namespace, `avx512bf16` (ITO_LEVEL 3), where
// `store(bf16*, float)` is the processor's own conversion.
#pragma once
#include "include/ito_runtime.h"

#define ITO_STRINGIFY_(x) #x

namespace portable {
#define ITO_LEVEL 0
#include ITO_KERNELS
#undef ITO_LEVEL
}  // namespace portable

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
namespace avx2 {
#define ITO_LEVEL 1
#include ITO_KERNELS
#undef ITO_LEVEL
}  // namespace avx2
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), apply_to = function)
namespace avx512 {
#define ITO_LEVEL 2
#include ITO_KERNELS
#undef ITO_LEVEL
}  // namespace avx512
#pragma clang attribute pop

#ifdef ITO_KERNELS_ROUND_BF16
#pragma clang attribute push( \
    __attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)
namespace avx512bf16 {
#define ITO_LEVEL 3
#include ITO_KERNELS
#undef ITO_LEVEL
}  // namespace avx512bf16
#pragma clang attribute pop
#define ITO_DISPATCH_AVX512(f) (ito_isa() >= ITO_ISA_AVX512_BF16 ? avx512bf16::f : avx512::f)
#else
#define ITO_DISPATCH_AVX512(f) (avx512::f)
#endif

#define ITO_DISPATCH(f)                                                                \
  (ito_isa() >= ITO_ISA_AVX512 ? ITO_DISPATCH_AVX512(f) : ito_isa() >= ITO_ISA_AVX2 ? avx2::f \
                                                                                    : portable::f)
#else
#define ITO_DISPATCH(f) (portable::f)
#endif
