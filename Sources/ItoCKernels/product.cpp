#include <cstdint>
#include <cstring>

#include "include/ito_convert.h"
#include "include/ito_product.h"
#include "include/ito_unary.h"

namespace {

struct ProductJob {
  const ito_product_desc* desc;
  const void *a, *b;
  const ito_product_epilogue* epilogue;
  void* out;
};

// Rows [row, row + rows) of a over the depth [begin, end), copied to `a` one after the other.
struct ProductPart {
  const float* a;
  int64_t row, rows, begin, end;
};

// Panels of sixteen columns, one after the other, and their sums, [panel][row][16]. Meanwhile the `ahead_bytes` that come next are
// brought into the second-level cache: they come slower than the inner loop would take them.
struct ProductPanels {
  int64_t panel, width;
  const float* columns;
  float* sums;
  int64_t panel_sums;  // floats from a panel's sums to the next
  const char* ahead;
  int64_t ahead_bytes;
};

}  // namespace

#define ITO_KERNELS "product.inl"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

// Depth of a part, with which a panel of columns fits the first-level cache, and rows of a block, which over that depth
// fit the second: whole numbers of what the inner loop takes at once.
constexpr int64_t kDepth = 384, kBlockRows = 252, kRowsAtOnce = 12, kPanel = 16, kTogether = 2;

// Multiplications from which waking another thread pays.
constexpr int64_t kWorthThreads = 1 << 18;

// Floats of b that a thread packs at once for a call, and panels whose sums wait for the next part of the depth.
constexpr int64_t kPackedAtOnce = 1 << 20, kSumPanels = 32;

int64_t divided_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

// The depth, cut into parts; packed columns lie part by part.
struct Depth {
  int64_t k, parts;
  explicit Depth(int64_t k) : k(k), parts(divided_up(k, kDepth)) {}
  int64_t begin(int64_t part) const { return k * part / parts; }
  int64_t longest() const { return k / parts + 1; }
};

struct Product {
  ProductJob job;
  Depth depth;
  int64_t m, panels, block_rows, blocks, groups;
  bool is_packed, widens;  // b
  static constexpr int64_t kElement[] = {4, 2, 2};

  explicit Product(const ProductJob& job)
      : job(job), depth(job.desc->k), m(job.desc->m), panels(divided_up(job.desc->n, kPanel)),
        is_packed(job.desc->b_packed), widens(is_packed && job.desc->b_dtype != ITO_F32) {
    const int64_t threads = m * job.desc->n * depth.k < kWorthThreads ? 1 : ito_threads();
    const int64_t even = divided_up(m, divided_up(m, kBlockRows));
    block_rows = divided_up(even, kRowsAtOnce) * kRowsAtOnce;
    blocks = divided_up(m, block_rows);
    // Few blocks are shared out by columns too; each share copies its rows again.
    const int64_t wanted = threads == 1 ? 1 : divided_up(4 * threads, blocks), most = divided_up(panels, 4);
    groups = wanted < most ? wanted : most;
    if (depth.parts > 1) groups = at_least(divided_up(panels, kSumPanels));
    if (!is_packed && blocks > 1) groups = at_least(divided_up(panels * depth.k * kPanel, kPackedAtOnce));
  }
  int64_t at_least(int64_t count) const { return groups >= count ? groups : count < panels ? count : panels; }

  // Groups of panels by blocks of rows, the rows innermost, so that what a group packs is used by all of them.
  void run(int64_t first_item, int64_t last_item) const {
    const int64_t widest = panels / groups + 1;
    Floats rows(block_rows * depth.longest());
    const int64_t panel_sums = block_rows * kPanel;
    Floats sums((depth.parts > 1 ? widest : kTogether) * panel_sums);
    // What is packed here for one block of rows, or for all of them.
    const bool keeps = !is_packed && blocks > 1;
    Floats columns(is_packed && !widens ? 0 : keeps ? widest * depth.k * kPanel : kTogether * depth.longest() * kPanel);
    for (int64_t item = first_item; item < last_item; item++) {
      const int64_t group = item / blocks, row = item % blocks * block_rows;
      const int64_t first = panels * group / groups, last = panels * (group + 1) / groups;
      const bool packs = !is_packed && (!keeps || row == 0 || item == first_item);
      for (int64_t p = 0; p < depth.parts; p++) {
        ProductPart part{rows.data, row, m - row < block_rows ? m - row : block_rows, depth.begin(p), depth.begin(p + 1)};
        ITO_DISPATCH(product_pack_rows)(job, part, rows.data);
        const int64_t size = (part.end - part.begin) * kPanel;
        for (int64_t panel = first; panel < last;) {
          const int64_t width = last - panel < kTogether ? last - panel : kTogether;
          ProductPanels now{panel, width, nullptr, sums.data + (depth.parts > 1 ? (panel - first) * panel_sums : 0),
                            panel_sums, nullptr, 0};
          if (is_packed) {
            const int64_t element = kElement[job.desc->b_dtype];
            const char* stored = static_cast<const char*>(job.b) + (part.begin * panels * kPanel + panel * size) * element;
            if (panel + width < last) now.ahead = stored + width * size * element, now.ahead_bytes = width * size * element;
            now.columns = reinterpret_cast<const float*>(stored);
            if (widens) {
              ITO_DISPATCH(product_widen)(job.desc->b_dtype, stored, width * size / kPanel, columns.data);
              now.columns = columns.data;
            }
          } else {
            float* packed = columns.data + (keeps ? part.begin * (last - first) * kPanel + (panel - first) * size : 0);
            for (int64_t w = 0; w < width && packs; w++)
              ITO_DISPATCH(product_pack_columns)(*job.desc, job.b, part.begin, part.end, panel + w, packed + w * size);
            if (!packs && panel + width < last)
              now.ahead = reinterpret_cast<const char*>(packed + width * size), now.ahead_bytes = width * size * 4;
            now.columns = packed;
          }
          ITO_DISPATCH(product_panels)(job, part, now);
          if (p + 1 == depth.parts)
            for (int64_t w = 0; w < width; w++)
              ITO_DISPATCH(product_finish)(job, part, panel + w, now.sums + w * panel_sums);
          panel += width;
        }
      }
    }
  }
};

struct Packing {
  const ito_product_desc* desc;
  const void* b;
  char* packed;
  Depth depth;
  int64_t panels;

  void run(int64_t begin, int64_t end) const {
    Floats wide(desc->b_dtype == ITO_F32 ? 0 : depth.longest() * kPanel);
    const int64_t element = desc->b_dtype == ITO_F32 ? 4 : 2;
    for (int64_t panel = begin; panel < end; panel++)
      for (int64_t p = 0; p < depth.parts; p++) {
        const int64_t first = depth.begin(p), last = depth.begin(p + 1), size = (last - first) * kPanel;
        char* to = packed + (first * panels * kPanel + panel * size) * element;
        float* as = desc->b_dtype == ITO_F32 ? reinterpret_cast<float*>(to) : wide.data;
        ITO_DISPATCH(product_pack_columns)(*desc, b, first, last, panel, as);
        // Exact: every number was of that type.
        if (desc->b_dtype == ITO_BF16)
          for (int64_t i = 0; i < size; i++) memcpy(to + i * 2, reinterpret_cast<const char*>(as + i) + 2, 2);
        else if (desc->b_dtype == ITO_F16)
          ito_convert(as, ITO_F32, to, ITO_F16, size);
      }
  }
};

}  // namespace

extern "C" {

void ito_product(const ito_product_desc* desc, const void* a, const void* b, const ito_product_epilogue* epilogue,
                 void* out) {
  Product product({desc, a, b, epilogue, out});
  ito_parallel_for(
      product.groups * product.blocks, 1,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<const Product*>(ctx)->run(begin, end); }, &product);
}

size_t ito_product_packed_bytes(const ito_product_desc* desc) {
  return size_t(divided_up(desc->n, kPanel) * kPanel * desc->k) * (desc->b_dtype == ITO_F32 ? 4 : 2);
}

void ito_product_pack(const ito_product_desc* desc, const void* b, void* packed) {
  Packing job{desc, b, static_cast<char*>(packed), Depth(desc->k), divided_up(desc->n, kPanel)};
  ito_parallel_for(
      job.panels, 1, [](void* ctx, int64_t begin, int64_t end) { static_cast<const Packing*>(ctx)->run(begin, end); },
      &job);
}

}  // extern "C"
