#pragma once
// Where time goes: operations report what they did while recording is on.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What calls of one name added up to.
typedef struct {
  const char* name;
  uint64_t calls;
  double seconds;  // wall time
  double flops;    // of a plain sum, whatever method was used
  double bytes;    // of tensors read and written
} ito_profile_entry;

/// Forgets what was recorded and records from now on.
void ito_profile_start(void);
/// Stops recording. Writes at most `room` entries, by time, and returns how many there are.
int64_t ito_profile_stop(ito_profile_entry* entries, int64_t room);

/// The start of an operation on this thread: a time to hand to `ito_profile_end`, 0 when nothing is
/// recorded. What runs inside another operation counts as part of that one.
uint64_t ito_profile_begin(void);
/// The end of the operation begun at `begun` (not 0). `name` must stay valid.
void ito_profile_end(uint64_t begun, const char* name, int64_t written);
/// Bytes read, or multiplications and additions done, by the next operation to end on this thread.
void ito_profile_read(int64_t bytes);
void ito_profile_work(double flops);

#ifdef __cplusplus
}
#endif
