#include "ito_allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

// This access allocates nothing itself.
static __thread int64_t now __attribute__((tls_model("initial-exec")));
static __thread int64_t peak __attribute__((tls_model("initial-exec")));

int64_t ito_allocations_now(void) { return now; }

int64_t ito_allocations_begin(void) { return peak = now; }

int64_t ito_allocations_peak(void) { return peak; }

#if defined(__GLIBC__)

bool ito_allocations_counted(void) { return true; }

// glibc's own functions under the names it exports for programs that replace them (glibc manual, 3.2.5).
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

// What the heap gave, not what was asked for, is what free can take back.
static void *counted(void *memory) {
  if (memory) now += (int64_t)malloc_usable_size(memory);
  if (now > peak) peak = now;
  return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }

void *realloc(void *old, size_t size) {
  const int64_t before = old ? (int64_t)malloc_usable_size(old) : 0;
  void *memory = __libc_realloc(old, size);
  // Without memory the old block stays, unless a size of zero freed it.
  if (memory || size == 0) now -= before;
  return counted(memory);
}

void *memalign(size_t alignment, size_t size) {
  return counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment) return EINVAL;
  void *memory = memalign(alignment, size);
  if (!memory) return ENOMEM;
  *out = memory;
  return 0;
}

void free(void *memory) {
  if (memory) now -= (int64_t)malloc_usable_size(memory);
  __libc_free(memory);
}

#else

bool ito_allocations_counted(void) { return false; }

#endif
