#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "include/ito_convert.h"
#include "include/ito_strassen.h"
#include "include/ito_unary.h"
#include "row_blocks.h"

namespace {

// Columns that are computed together: two groups, the halves of Strassen's b, of two panels of sixteen.
constexpr int64_t kPanels = 2, kGroup = 16 * kPanels, kColumns = 2 * kGroup;
// Products of blocks, and words of half a part of the depth are a multiple of this.
constexpr int64_t kTerms = 7, kWords = 16;
// Words of a part of the depth: those of a block of columns, and of its sums, fit the second-level cache, which is small
// where there is no AVX-512.
constexpr int64_t kDepthWords = 768, kFewDepthWords = 384;

// One product: how it is cut, and what it works on. Numbers are multiplied as words (words.h).
struct StrassenJob {
  const ito_product_desc* desc;
  const void *a, *zeros;
  const ito_product_epilogue* epilogue;
  void* out;
  const char* columns;         // b packed: [part of the depth][block][half of the part][group][panel][word][16]
  const float* column_scales;  // that the results are multiplied by
  float *rows, *row_scales;
  int64_t per_word, depth, blocks, chunks;  // depth: the most of it that is multiplied at once
  int64_t first_row, pairs, steps;  // of the rows in work

  explicit StrassenJob(const ito_product_desc* d) : desc(d) {
    per_word = d->dtype == ITO_BF16 && ito_bf16_pairs_pay() ? 2 : 1;
    blocks = (d->n + kColumns - 1) / kColumns;
    depth = (ito_isa() >= ITO_ISA_AVX512 ? kDepthWords : kFewDepthWords) * per_word;
    chunks = (d->k + depth - 1) / depth;
  }
  bool by_pairs() const { return per_word == 2; }
  int64_t element() const { return by_pairs() || desc->b_dtype != ITO_F32 ? 2 : 4; }  // bytes of a packed number of b
  // Where a part of the depth begins, and the words of its halves.
  int64_t unit() const { return 2 * kWords * per_word; }
  int64_t begin(int64_t chunk) const { return desc->k / unit() * chunk / chunks * unit(); }
  int64_t words(int64_t chunk) const { return (begin(chunk + 1) - begin(chunk)) / 2 / per_word; }
  int64_t longest() const { return (desc->k / unit() + chunks - 1) / chunks * kWords; }
  // Bytes to a part of a block in b packed, and of it.
  int64_t offset(int64_t chunk, int64_t block) const {
    return (begin(chunk) * blocks + block * 2 * per_word * words(chunk)) * kColumns * element();
  }
  int64_t bytes(int64_t chunk) const { return 2 * per_word * words(chunk) * kColumns * element(); }
  int64_t all_bytes() const { return desc->k * blocks * kColumns * element(); }
  int64_t first_pair(int64_t step) const { return pairs * step / steps; }
};

// The rows in work by one block of columns, and room for its sums and products.
struct StrassenPart {
  int64_t block;
  float *sums, *products;
};

}  // namespace

#define ITO_KERNELS_ROUND_BF16
#define ITO_KERNELS "strassen.inl"
#include "multiversion.h"

namespace {

// Bytes of rows that a thread packs at once, which should fit the last-level cache, and pairs of rows whose products wait for
// the next part of the depth in the second.
constexpr int64_t kRowBytes = 6 << 20, kWaiting = 256;
// Below, packing takes what is saved.
constexpr int64_t kFewRows = 128, kFewNumbers = 320 * 640;

// In pairs sums of two blocks are rounded to bfloat16, so they take what loses little: large matrices far from square, a
// feed-forward's. The projections of attention save half as much and lose most (Docs/measurements.md).
bool pairs_lose_little(const ito_product_desc& d) {
  constexpr int64_t kFewNumbersOfPairs = 1 << 20;
  return d.n * d.k >= kFewNumbersOfPairs && (d.n >= 2 * d.k || d.k >= 2 * d.n);
}

std::atomic<int> allowed{-1};

template <typename Job>
void parallel(int64_t count, const Job& job) {
  ito_parallel_for(
      count, 1, [](void* ctx, int64_t begin, int64_t end) { (*static_cast<const Job*>(ctx))(begin, end); },
      const_cast<Job*>(&job));
}

// How the work is shared out: blocks of rows, and groups of columns, for each of which the rows are packed again. Nothing
// packed goes from thread to thread: their caches may be far apart.
struct Division {
  int64_t rows, groups;
};
// The quickest. What is computed does not depend on it.
Division divide(const StrassenJob& job, int64_t pairs, int64_t most) {
  // What a word of the depth takes, in multiplications of sixteen: packing of a pair of rows, and of a block of columns.
  constexpr double kPackRows = 6, kPackColumns = 56, kMultiply = kTerms * kPanels;
  const int64_t threads = ito_threads(), fewest = (pairs + most - 1) / most;
  Division best{fewest, 1};
  double least = 0;
  for (int64_t rows = fewest; rows < fewest + threads; rows++)
    for (int64_t groups = 1; groups <= threads && groups <= job.blocks; groups++) {
      const double of_rows = double((pairs + rows - 1) / rows), columns = double((job.blocks + groups - 1) / groups);
      const double each = kMultiply * of_rows * columns + kPackRows * of_rows + kPackColumns * columns;
      const double cost = each * double((rows * groups + threads - 1) / threads);
      if (least == 0 || cost < least) least = cost, best = {rows, groups};
    }
  return best;
}

}  // namespace

extern "C" {

int ito_strassen_allowed(void) {
  int now = allowed.load(std::memory_order_relaxed);
  if (now < 0) {
    const char* said = getenv("ITO_STRASSEN");
    now = said && *said == '0' ? 0 : 1;
    allowed.store(now, std::memory_order_relaxed);
  }
  return now;
}
void ito_set_strassen(int now) { allowed.store(now, std::memory_order_relaxed); }

int ito_strassen_pays(const ito_product_desc* d, int64_t sample_rows) {
  if (sample_rows < kFewRows || sample_rows % 2 != 0) return 0;
  if (!d->b_transposed || d->a_transposed || !ito_strassen_allowed() || ito_isa() < ITO_ISA_AVX2) return 0;
  const StrassenJob job(d);
  if (job.by_pairs() && !pairs_lose_little(*d)) return 0;
  return d->k % job.unit() == 0 && d->n % kColumns == 0 && d->n * d->k >= kFewNumbers;
}

size_t ito_strassen_packed_bytes(const ito_product_desc* d) {
  const StrassenJob job(d);
  return size_t(job.all_bytes() + job.blocks * kColumns * 4);
}

int64_t ito_strassen_depth(const ito_product_desc* d) { return StrassenJob(d).depth; }

void ito_strassen_pack(const ito_product_desc* d, const void* b, void* packed) {
  const StrassenJob job(d);
  char* to = static_cast<char*>(packed);
  float* scales = reinterpret_cast<float*>(to + job.all_bytes());
  parallel(job.blocks, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) ITO_DISPATCH(strassen_columns)(job, b, block, to, scales);
  });
}

void ito_strassen(const ito_product_desc* d, const void* a, const void* packed, const ito_product_epilogue* epilogue,
                  void* out) {
  StrassenJob job(d);
  job.a = a, job.epilogue = epilogue, job.out = out;
  job.columns = static_cast<const char*>(packed);
  job.column_scales = reinterpret_cast<const float*>(job.columns + job.all_bytes());
  const int64_t pairs = (d->m + 1) / 2, words = kTerms * (d->k / 2 / job.per_word);
  int64_t most = kRowBytes / (words * 4);
  if (job.chunks > 1 && most > kWaiting) most = kWaiting;
  const int64_t at_once = ITO_DISPATCH(strassen_at_once)();
  const Division by = divide(job, pairs, most < at_once ? at_once : most);
  Floats zeros(d->k);
  memset(zeros.data, 0, size_t(d->k) * 4);
  job.zeros = zeros.data;
  parallel(by.rows * by.groups, [&](int64_t begin, int64_t end) {
    StrassenJob mine = job;
    const int64_t each = (pairs + by.rows - 1) / by.rows, waiting = job.chunks > 1 ? each : at_once;
    Floats rows(words * each), scales(2 * each);
    Floats sums(kTerms * ITO_DISPATCH(strassen_apart)(job.longest())), products(kTerms * kGroup * waiting);
    mine.rows = rows.data, mine.row_scales = scales.data;
    for (int64_t item = begin; item < end; item++) {
      const int64_t first = pairs * (item / by.groups) / by.rows, group = item % by.groups;
      if (item == begin || group == 0) {
        mine.first_row = 2 * first;
        mine.pairs = pairs * (item / by.groups + 1) / by.rows - first;
        mine.steps = (mine.pairs + at_once - 1) / at_once;
        ITO_DISPATCH(strassen_rows)(mine);
      }
      const int64_t last = job.blocks * (group + 1) / by.groups;
      for (int64_t block = job.blocks * group / by.groups; block < last; block++)
        ITO_DISPATCH(strassen_part)(mine, {block, sums.data, products.data});
    }
  });
}

}  // extern "C"
