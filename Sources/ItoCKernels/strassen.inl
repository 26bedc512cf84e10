#include "scalar_types.h"
#include "lanes.h"
#include "panel_product.h"
#include "transpose.h"
#include "vector_math.h"
#include "activations.h"
#include "strassen_pack.h"
#include "strassen_finish.h"

// Floats from one of a block's sums to the next: they must not fall into the same sets of the caches.
static int64_t strassen_apart(int64_t words) { return kGroup * words + 7 * kLanes; }
static int64_t strassen_at_once() { return kRows; }

// Sixteen words of b, widened where they are numbers in half precision.
template <typename K>
static inline void load_part(lanes& v, const char* from, int64_t at) {
  load_lanes(v, reinterpret_cast<const K*>(from) + at);
}
#if ITO_LEVEL == 3
// The two numbers of each of sixteen words.
static inline void split_words(const char* from, int64_t at, lanes& first, lanes& second) {
  lanes_u32 bits;
  __builtin_memcpy(&bits, from + at * 4, sizeof(bits));
  first = (lanes)(bits << 16), second = (lanes)(bits & 0xffff0000u);
}
static void strassen_sum_pairs(const char* b, int64_t group, float* to, int64_t apart) {
  for (int64_t i = 0; i < group; i += kLanes) {
    lanes b11[2], b12[2], b21[2], b22[2];
    split_words(b, i, b11[0], b11[1]), split_words(b, group + i, b12[0], b12[1]);
    split_words(b, 2 * group + i, b21[0], b21[1]), split_words(b, 3 * group + i, b22[0], b22[1]);
    zip_words(b11[0] + b22[0], b11[1] + b22[1], to + i);
    zip_words(b12[0] - b22[0], b12[1] - b22[1], to + apart + i);
    zip_words(b21[0] - b11[0], b21[1] - b11[1], to + 2 * apart + i);
    zip_words(b11[0] + b12[0], b11[1] + b12[1], to + 3 * apart + i);
    zip_words(b21[0] + b22[0], b21[1] + b22[1], to + 4 * apart + i);
  }
}
#endif
// The sums of a block's quarters, `group` words each; where b is stored in half precision, the two that stand alone too.
template <typename K>
static void strassen_sum(const char* b, int64_t group, float* to, int64_t apart) {
  for (int64_t i = 0; i < group; i += kLanes) {
    lanes b11, b12, b21, b22;
    load_part<K>(b11, b, i), load_part<K>(b12, b, group + i);
    load_part<K>(b21, b, 2 * group + i), load_part<K>(b22, b, 3 * group + i);
    const lanes sums[kTerms] = {b11 + b22, b12 - b22, b21 - b11, b11 + b12, b21 + b22, b11, b22};
    for (int s = 0; s < (sizeof(K) == 4 ? 5 : kTerms); s++) __builtin_memcpy(to + s * apart + i, &sums[s], sizeof(lanes));
  }
}
static void strassen_sums(const StrassenJob& job, const char* b, int64_t group, float* to, int64_t apart) {
#if ITO_LEVEL == 3
  if (job.by_pairs()) return strassen_sum_pairs(b, group, to, apart);
#endif
  switch (job.desc->b_dtype) {
    case ITO_BF16: return strassen_sum<bf16>(b, group, to, apart);
    case ITO_F16: return strassen_sum<f16>(b, group, to, apart);
    default: return strassen_sum<float>(b, group, to, apart);
  }
}

// What is brought into the second-level cache meanwhile: the rows that come next, and columns, as far as there are any.
struct StrassenAhead {
  const char *rows, *columns, *end;
};

// products[w][r] = sum over words of a [16 words][row][word] by W panels of columns, added to what is there when `adds`.
template <int R, int W, bool adds, typename Word>
static void strassen_multiply(const Word* a, const Panels& by, int64_t words, StrassenAhead& ahead) {
  lanes sum[R][W];
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int w = 0; w < W; w++) sum[r][w] = 0;
  const float *u = by.columns, *end = u + words * kLanes;
  const int64_t panel = by.column_panel;
  const char* rows = ahead.rows;
  while (u < end) {
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) __builtin_prefetch(rows + r * 64, 0, 2);
    rows += R * 64;
    if (ahead.columns < ahead.end) {
      __builtin_prefetch(ahead.columns, 0, 2), __builtin_prefetch(ahead.columns + 64, 0, 2);
      ahead.columns += 128;
    }
#pragma clang loop unroll(disable)
    for (int quarter = 0; quarter < 4; quarter++, a += 4, u += 4 * kLanes) {
#pragma clang loop unroll(full)
      for (int j = 0; j < 4; j++) {
        lanes column[W];
#pragma clang loop unroll(full)
        for (int w = 0; w < W; w++) load_lanes(column[w], u + w * panel + j * kLanes);
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
          for (int w = 0; w < W; w++) multiply_add(sum[r][w], column[w], a[r * kLanes + j]);
      }
    }
    a += (R - 1) * kLanes;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int w = 0; w < W; w++) {
      float* to = by.products + w * by.product_panel + r * kLanes;
      if constexpr (adds) {
        lanes before;
        load_lanes(before, to);
        sum[r][w] += before;
      }
      __builtin_memcpy(to, &sum[r][w], sizeof(lanes));
    }
}
template <int R, int W, bool adds, typename Word>
static inline void strassen_some(int64_t rows, const Word* a, const Panels& by, int64_t words, StrassenAhead& ahead) {
  if (rows >= R) return strassen_multiply<R, W, adds>(a, by, words, ahead);
  if constexpr (R > 1) strassen_some<R - 1, W, adds>(rows, a, by, words, ahead);
}

// The columns that are summed after those of this part of the depth of this block.
static inline void strassen_next(const StrassenJob& job, int64_t block, int64_t chunk, StrassenAhead& ahead) {
  if (++chunk == job.chunks) chunk = 0, block++;
  ahead.columns = job.columns + job.offset(chunk, block);
  ahead.end = block < job.blocks ? ahead.columns + job.bytes(chunk) : ahead.columns;
}

template <typename Word>
static void strassen_part_of(const StrassenJob& job, const StrassenPart& part) {
  for (int64_t c = 0; c < job.chunks; c++) {
    const int64_t words = job.words(c), group = kGroup * words, apart = strassen_apart(words);
    const bool is_last = c + 1 == job.chunks;
    const char* stored = job.columns + job.offset(c, part.block);
    const float* s = part.sums;
    strassen_sums(job, stored, group, part.sums, apart);
    const bool holds_words = job.by_pairs() || job.element() == 4;
    const float* b11 = holds_words ? reinterpret_cast<const float*>(stored) : s + 5 * apart;
    const float* b22 = holds_words ? b11 + 3 * group : s + 6 * apart;
    const float* columns[kTerms] = {s, b11, s + apart, s + 2 * apart, b22, s + 3 * apart, s + 4 * apart};
    StrassenAhead ahead;
    strassen_next(job, part.block, c, ahead);
    for (int64_t step = 0; step < job.steps; step++) {
      const int64_t begin = job.first_pair(step), count = job.first_pair(step + 1) - begin;
      const Word* rows = reinterpret_cast<const Word*>(job.rows) + strassen_row_offset<Word>(job, c, begin);
      float* products = part.products + (job.chunks > 1 ? begin * kTerms * kGroup : 0);
      for (int64_t i = 0; i < kTerms; i++, rows += count * words) {
        if (is_last) strassen_expect(job, part.block, 2 * begin + 2 * count * i / kTerms, 2 * begin + 2 * count * (i + 1) / kTerms);
        ahead.rows = reinterpret_cast<const char*>(rows + count * words);
        for (int64_t p = 0; p < kPanels; p += kWidth) {
          const Panels by{columns[i] + p * words * kLanes, words * kLanes, products + (i * kPanels + p) * count * kLanes,
                          count * kLanes, kLanes};
          c ? strassen_some<kRows, kWidth, true>(count, rows, by, words, ahead)
            : strassen_some<kRows, kWidth, false>(count, rows, by, words, ahead);
        }
      }
      if (is_last) strassen_finish(job, part.block, begin, count, products);
    }
  }
}
static void strassen_part(const StrassenJob& job, const StrassenPart& part) {
#if ITO_LEVEL == 3
  if (job.by_pairs()) return strassen_part_of<pair>(job, part);
#endif
  strassen_part_of<float>(job, part);
}
