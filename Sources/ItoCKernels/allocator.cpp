#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <mutex>
#include <unordered_map>
#include <vector>

#include "include/ito_runtime.h"

// Blocks are kept by size class (four classes per power of two, so at most a quarter is wasted) and
// reused for the next request of the class: a denoiser step asks the system for nothing after the
// first, and freshly zeroed pages are not paid for again.
namespace {

constexpr size_t kSmallest = 64;
constexpr size_t kHuge = size_t(2) << 20;

size_t class_size(size_t bytes) {
  if (bytes <= kSmallest) return kSmallest;
  size_t power = size_t(1) << (63 - __builtin_clzll(bytes - 1));  // power < bytes <= 2 * power
  size_t step = power / 4 < kSmallest ? kSmallest : power / 4;
  return (bytes + step - 1) / step * step;
}

struct Cache {
  std::mutex mutex;
  std::unordered_map<size_t, std::vector<void*>> blocks;
  ito_alloc_stats stats{};
};

// Never destroyed: tensors may be released by threads that outlive static destruction.
Cache& cache() {
  static Cache* shared = new Cache;
  return *shared;
}

void* from_system(size_t size) {
  size_t alignment = size >= kHuge ? kHuge : 64;
  void* block = nullptr;
  if (posix_memalign(&block, alignment, size) != 0) return nullptr;
  if (size >= kHuge) madvise(block, size, MADV_HUGEPAGE);
  return block;
}

}  // namespace

extern "C" {

void* ito_alloc(size_t bytes) {
  size_t size = class_size(bytes);
  Cache& c = cache();
  {
    std::lock_guard<std::mutex> lock(c.mutex);
    c.stats.allocations++;
    c.stats.bytes_in_use += size;
    if (c.stats.bytes_in_use > c.stats.peak_bytes_in_use) c.stats.peak_bytes_in_use = c.stats.bytes_in_use;
    auto found = c.blocks.find(size);
    if (found != c.blocks.end() && !found->second.empty()) {
      void* block = found->second.back();
      found->second.pop_back();
      c.stats.bytes_cached -= size;
      return block;
    }
    c.stats.system_allocations++;
  }
  void* block = from_system(size);
  if (!block) {
    ito_alloc_trim();
    block = from_system(size);
  }
  if (!block) {
    fprintf(stderr, "ito: out of memory: %zu bytes asked for, %zu in use\n", size,
            ito_alloc_statistics().bytes_in_use);
    abort();
  }
  return block;
}

void ito_free(void* block, size_t bytes) {
  if (!block) return;
  size_t size = class_size(bytes);
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  c.stats.bytes_in_use -= size;
  c.stats.bytes_cached += size;
  c.blocks[size].push_back(block);
}

void ito_alloc_trim(void) {
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  for (auto& entry : c.blocks)
    for (void* block : entry.second) free(block);
  c.blocks.clear();
  c.stats.bytes_cached = 0;
#if defined(__GLIBC__)
  malloc_trim(0);  // what lies between blocks in use, which free() keeps for itself
#endif
}

ito_alloc_stats ito_alloc_statistics(void) {
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  return c.stats;
}

void ito_alloc_reset_peak(void) {
  Cache& c = cache();
  std::lock_guard<std::mutex> lock(c.mutex);
  c.stats.peak_bytes_in_use = c.stats.bytes_in_use;
}

}  // extern "C"
