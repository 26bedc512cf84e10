#pragma once
// The process-wide run time under every kernel: element types, the thread pool, the caching
// allocator, and the instruction set chosen at start-up.
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Element types; the values equal `DType.rawValue` in Swift.
enum {
  ITO_F32 = 0,
  ITO_BF16 = 1,
  ITO_F16 = 2,
  ITO_I8 = 3,
  ITO_U8 = 4,
  ITO_I32 = 5,
  ITO_I64 = 6,
  ITO_BOOL = 7
};

// Instruction-set levels, each including the ones before it.
enum { ITO_ISA_PORTABLE = 0, ITO_ISA_AVX2 = 1, ITO_ISA_AVX512 = 2, ITO_ISA_AVX512_BF16 = 3 };

/// The level in use: what the processor has, lowered by ITO_ISA (portable|avx2|avx512|avx512_bf16)
/// or by `ito_set_isa`.
int ito_isa(void);
/// The best level this processor offers.
int ito_isa_available(void);
/// Lowers the level for this process; a level above what the processor has is clamped to it.
/// Returns the level now in use.
int ito_set_isa(int level);

/// Whether the processor multiplies bfloat16 pairs quicker than float32 numbers, at the level in use. Where it does not (it
/// has no such instruction, or, as some Intel processors, one of half the rate) bfloat16 is multiplied in float32. Measured
/// once, in a tenth of a millisecond; ITO_BF16_PAIRS=0 or 1 says it instead.
int ito_bf16_pairs_pay(void);
/// Says it in place of the measurement; for tests.
void ito_set_bf16_pairs_pay(int pay);

/// Threads that kernels fan out on. Starts at ITO_THREADS, else the processors available.
int ito_threads(void);
/// Sets the number of threads (at least 1) for every later kernel call.
void ito_set_threads(int count);
/// Applies the thread count to the calling thread's OpenMP state; called before oneDNN runs.
void ito_bind_threads(void);

/// Splits [0, count) into contiguous ranges of at least `grain` and runs `body(ctx, begin, end)`
/// on the pool. Runs on the caller when one range is enough. `body` must not throw.
void ito_parallel_for(int64_t count, int64_t grain, void (*body)(void* ctx, int64_t begin, int64_t end),
                      void* ctx);

/// A 64-byte aligned block from the caching allocator; never null (aborts with a message when the
/// system has no memory left). Contents are undefined.
void* ito_alloc(size_t bytes);
/// Returns a block; `bytes` must be what was asked for.
void ito_free(void* block, size_t bytes);
/// Gives every cached, unused block back to the system.
void ito_alloc_trim(void);

typedef struct {
  size_t bytes_in_use;       // handed out now
  size_t peak_bytes_in_use;  // the most since the last reset
  size_t bytes_cached;       // kept for reuse
  uint64_t system_allocations;  // blocks obtained from the system since the start
  uint64_t allocations;         // blocks handed out since the start
} ito_alloc_stats;
ito_alloc_stats ito_alloc_statistics(void);
void ito_alloc_reset_peak(void);

/// Something a buffer owns besides its bytes. The object starts with this header.
typedef struct ito_attachment {
  void (*destroy)(struct ito_attachment*);
} ito_attachment;
/// Destroys `object`, whose first member is an `ito_attachment`.
void ito_attachment_destroy(void* object);

#ifdef __cplusplus
}
#endif
