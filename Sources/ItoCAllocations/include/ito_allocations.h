// Counts what a thread has allocated, for tests that bound a reader's memory. A program that links this gets
// its own malloc in front of glibc's; with another C library nothing is counted.
#ifndef ITO_ALLOCATIONS_H
#define ITO_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whether allocations are counted here.
bool ito_allocations_counted(void);

// Bytes this thread has allocated and not freed. What another thread frees is still counted.
int64_t ito_allocations_now(void);

// Sets the peak to what is allocated now, which it returns.
int64_t ito_allocations_begin(void);

// The most that was allocated at one time since this thread's last begin.
int64_t ito_allocations_peak(void);

#ifdef __cplusplus
}
#endif
#endif
