#include <cstdint>
#include <cstring>

#include "include/ito_product.h"

namespace {

struct ProductJob {
  const ito_product_desc* desc;
  const float* a;
  const void* b;
  const float* bias;
  float* out;
};

}  // namespace

#define ITO_KERNELS "product.inl"
#include "multiversion.h"
#include "row_blocks.h"

namespace {

// Depth of a block, with which a panel of columns fits the first-level cache, and rows of a block, which then
// fit the second.
constexpr int64_t kDepth = 384, kBlockRows = 192;

// Rows up to which a block of their depth fits the second-level cache: then every panel of columns is packed just
// before its one use, and b is read once and not written.
constexpr int64_t kFewRows = 512;

struct Product {
  ProductJob job;
  int64_t m, k, panels, row_blocks, parts;
  float* columns;  // [depth block][panel][depth of the block][16]

  Product(const ProductJob& job, float* columns)
      : job(job), m(job.desc->m), k(job.desc->k), panels((job.desc->n + 15) / 16),
        row_blocks((m + kBlockRows - 1) / kBlockRows), columns(columns) {
    // Few blocks are shared out by columns too; each share packs its rows again.
    int64_t wanted = (4 * ito_threads() + row_blocks - 1) / row_blocks, most = (panels + 3) / 4;
    parts = ito_threads() == 1 ? 1 : wanted < most ? wanted : most;
  }

  float* packed(int64_t begin, int64_t depth, int64_t panel) const {
    return columns + (begin * panels + depth * panel) * 16;
  }
  int64_t end_of(int64_t begin) const { return begin + kDepth < k ? begin + kDepth : k; }

  void pack(int64_t first, int64_t last) const {
    for (int64_t begin = 0; begin < k; begin += kDepth)
      for (int64_t panel = first; panel < last; panel++)
        ITO_DISPATCH(product_pack_columns)
        (job, begin, end_of(begin), panel, packed(begin, end_of(begin) - begin, panel));
  }
  void run(int64_t first, int64_t last) const {
    Floats rows(kBlockRows * kDepth);
    for (int64_t item = first; item < last; item++) {
      int64_t block = item / parts, part = item % parts;
      int64_t row = m * block / row_blocks, count = m * (block + 1) / row_blocks - row;
      for (int64_t begin = 0; begin < k; begin += kDepth) {
        int64_t end = end_of(begin);
        ITO_DISPATCH(product_pack_rows)(job, begin, end, row, count, rows.data);
        for (int64_t panel = panels * part / parts; panel < panels * (part + 1) / parts; panel++)
          ITO_DISPATCH(product_panel)
          (job, rows.data, row, count, packed(begin, end - begin, panel), panel, end - begin, begin == 0);
      }
    }
  }
  // Panels [first, last) of few rows.
  void run_few(int64_t first, int64_t last) const {
    Floats rows(m * kDepth), panel_columns(kDepth * 16);
    for (int64_t begin = 0; begin < k; begin += kDepth) {
      int64_t end = end_of(begin);
      ITO_DISPATCH(product_pack_rows)(job, begin, end, 0, m, rows.data);
      for (int64_t panel = first; panel < last; panel++) {
        ITO_DISPATCH(product_pack_columns)(job, begin, end, panel, panel_columns.data);
        ITO_DISPATCH(product_panel)(job, rows.data, 0, m, panel_columns.data, panel, end - begin, begin == 0);
      }
    }
  }
};

}  // namespace

extern "C" void ito_product(const ito_product_desc* desc, const float* a, const void* b, const float* bias, float* out) {
  ProductJob job{desc, a, b, bias, out};
  if (desc->m <= kFewRows) {
    Product product(job, nullptr);
    return ito_parallel_for(
        product.panels, 8,
        [](void* ctx, int64_t begin, int64_t end) { static_cast<Product*>(ctx)->run_few(begin, end); }, &product);
  }
  Floats columns((desc->n + 15) / 16 * 16 * desc->k);
  Product product(job, columns.data);
  ito_parallel_for(
      product.panels, 8,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<Product*>(ctx)->pack(begin, end); }, &product);
  ito_parallel_for(
      product.row_blocks * product.parts, 1,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<Product*>(ctx)->run(begin, end); }, &product);
}
