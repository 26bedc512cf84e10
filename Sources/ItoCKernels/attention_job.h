// What the attention drivers hand to the kernels of an instruction set.
#pragma once
#include "include/ito_attention.h"

// Keys whose scores are held at a time; a multiple of every tile's rows.
enum { kKeyBlock = 96 };
// Queries in a block at most: the lanes of four of the widest vectors.
enum { kMaxQueries = 64 };

// Hands out consecutive 64-byte aligned parts of a block; with no block it only counts the bytes.
struct Arena {
  char* base = nullptr;
  size_t used = 0;
  template <typename T>
  T* take(int64_t count) {
    T* part = base ? reinterpret_cast<T*>(base + used) : nullptr;
    used += (size_t(count) * sizeof(T) + 63) / 64 * 64;
    return part;
  }
};

struct AttentionJob {
  const ito_attention* p;
  ito_attention_in q, k, v, o, g;
  ito_attention_out out, dq, dk, dv;
  float* lse;  // written by forward, read by backward
  float* dbias;
  // Backward: the blocks of one key head are cut into `chunks`; with more than one, each leaves its
  // dk and dv in `partial` for `sum_range` to add up.
  int64_t chunks;
  float* partial;
};

static inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
