#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <vector>

#include "include/ito_profile.h"

namespace {

std::atomic<bool> is_recording{false};
std::mutex mutex;
std::vector<ito_profile_entry>& entries = *new std::vector<ito_profile_entry>;

thread_local int depth = 0;
thread_local double read_bytes = 0, work = 0;

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1000000000u + uint64_t(t.tv_nsec);
}

bool recording() { return is_recording.load(std::memory_order_relaxed); }

}  // namespace

extern "C" {

void ito_profile_start(void) {
  std::lock_guard<std::mutex> lock(mutex);
  entries.clear();
  is_recording.store(true, std::memory_order_relaxed);
}

int64_t ito_profile_stop(ito_profile_entry* out, int64_t room) {
  is_recording.store(false, std::memory_order_relaxed);
  std::lock_guard<std::mutex> lock(mutex);
  std::sort(entries.begin(), entries.end(), [](const ito_profile_entry& a, const ito_profile_entry& b) {
    return a.seconds != b.seconds ? a.seconds > b.seconds : strcmp(a.name, b.name) < 0;
  });
  int64_t count = int64_t(entries.size());
  std::copy_n(entries.begin(), count < room ? count : room, out);
  return count;
}

uint64_t ito_profile_begin(void) {
  if (!recording()) return 0;
  depth++;
  return now();
}

void ito_profile_end(uint64_t begun, const char* name, int64_t written) {
  if (--depth > 0) return;
  double seconds = 1e-9 * double(now() - begun);
  std::lock_guard<std::mutex> lock(mutex);
  auto found = std::find_if(entries.begin(), entries.end(),
                            [&](const ito_profile_entry& e) { return !strcmp(e.name, name); });
  if (found == entries.end()) found = entries.insert(found, ito_profile_entry{name, 0, 0, 0, 0});
  found->calls++;
  found->seconds += seconds;
  found->flops += work;
  found->bytes += read_bytes + double(written);
  read_bytes = work = 0;
}

void ito_profile_read(int64_t bytes) {
  if (recording()) read_bytes += double(bytes);
}

void ito_profile_work(double flops) {
  if (recording()) work += flops;
}

}  // extern "C"
