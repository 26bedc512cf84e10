#include <cstdint>
#include <cstring>

#include "include/ito_product.h"
#include "include/ito_unary.h"

namespace {

struct ProductJob {
  const ito_product_desc* desc;
  const float* a;
  const void* b;
  const ito_product_epilogue* epilogue;
  float* out;
};

// Rows [row, row + rows) of a over the depth [begin, end), copied to `a` one after the other.
struct ProductPart {
  const float* a;
  int64_t row, rows, begin, end;
};

}  // namespace

#define ITO_KERNELS "product.inl"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

// Depth of a part, with which a panel of columns fits the first-level cache, and rows of a block, which over that depth
// fit the second: whole numbers of what the inner loop takes at once.
constexpr int64_t kDepth = 384, kBlockRows = 252, kRowsAtOnce = 12, kPanel = 16;

// Multiplications from which waking another thread pays.
constexpr int64_t kWorthThreads = 1 << 18;

// Floats of b that a thread packs at once for a call.
constexpr int64_t kPackedAtOnce = 1 << 20;

int64_t divided_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

struct Product {
  ProductJob job;
  int64_t m, k, panels, parts, block_rows, blocks, groups;

  explicit Product(const ProductJob& job)
      : job(job), m(job.desc->m), k(job.desc->k), panels(divided_up(job.desc->n, kPanel)),
        parts(divided_up(k, kDepth)) {
    const int64_t threads = m * job.desc->n * k < kWorthThreads ? 1 : ito_threads();
    const int64_t even = divided_up(m, divided_up(m, kBlockRows));
    block_rows = divided_up(even, kRowsAtOnce) * kRowsAtOnce;
    blocks = divided_up(m, block_rows);
    // Few blocks are shared out by columns too; each share copies its rows again.
    const int64_t wanted = threads == 1 ? 1 : divided_up(4 * threads, blocks), most = divided_up(panels, 4);
    groups = wanted < most ? wanted : most;
    if (packs_once()) return;
    const int64_t fitting = divided_up(panels * k * kPanel, kPackedAtOnce);
    if (groups < fitting) groups = fitting < panels ? fitting : panels;
  }
  // Whether no panel of columns has a second use.
  bool packs_once() const { return blocks == 1; }

  // Groups of panels by blocks of rows, the rows innermost, so that what a group packs is used by all of them.
  void run(int64_t first_item, int64_t last_item) const {
    const int64_t panel_size = k * kPanel;
    Floats rows(block_rows * (k / parts + 1));
    Floats columns(packs_once() ? (k / parts + 1) * kPanel : (panels / groups + 1) * panel_size);
    for (int64_t item = first_item; item < last_item; item++) {
      const int64_t group = item / blocks, row = item % blocks * block_rows;
      const int64_t first = panels * group / groups, last = panels * (group + 1) / groups;
      const bool packs = row == 0 || item == first_item;
      for (int64_t p = 0; p < parts; p++) {
        ProductPart part{rows.data, row, m - row < block_rows ? m - row : block_rows, k * p / parts, k * (p + 1) / parts};
        ITO_DISPATCH(product_pack_rows)(job, part.begin, part.end, row, part.rows, rows.data);
        for (int64_t panel = first; panel < last; panel++) {
          float* packed = columns.data + (packs_once() ? 0 : (panel - first) * panel_size + part.begin * kPanel);
          if (packs) ITO_DISPATCH(product_pack_columns)(job, part.begin, part.end, panel, packed);
          const float* next = packs || panel + 1 == last ? nullptr : packed + panel_size;
          ITO_DISPATCH(product_panel)(job, part, packed, next, panel);
        }
      }
    }
  }
};

}  // namespace

extern "C" void ito_product(const ito_product_desc* desc, const float* a, const void* b,
                            const ito_product_epilogue* epilogue, float* out) {
  Product product({desc, a, b, epilogue, out});
  ito_parallel_for(
      product.groups * product.blocks, 1,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<const Product*>(ctx)->run(begin, end); }, &product);
}
