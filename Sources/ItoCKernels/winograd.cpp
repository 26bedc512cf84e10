#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "include/ito_unary.h"
#include "include/ito_winograd.h"
#include "winograd_weights.h"

namespace {

// Some tiles and panels of sixteen output channels of one convolution, and room for one call.
struct WinogradTiles {
  const ito_winograd_desc* desc;
  const void *x, *kernels, *zeros;
  const ito_winograd_epilogue* epilogue;
  void* out;
  int64_t first_tile, count;
  int64_t first, last_panel;  // among those whose kernels these are
  int64_t first_panel;        // of all, the one whose kernels come first
  float* values;              // words, by run of channels: [n^2, count, length], n products along an axis
  float* products;            // [panels of a pass, n^2, count, 16]
  float* weights;             // words of a run: [panels of a pass, n^2, length, 16]
};

/// Products of a tile along one axis, as many as pixels it reads.
int64_t products_along_axis(const ito_winograd_desc& d) { return d.doubles ? 3 : d.tile + 1 + d.stride; }

/// Whether values and kernels are rounded to bfloat16 where they are transformed and multiplied in pairs.
bool by_pairs(const ito_winograd_desc& d) {
  return d.dtype == ITO_BF16 && (d.tile == 2 || d.allows_large) && ito_bf16_pairs_pay();
}

}  // namespace

#define ITO_KERNELS_ROUND_BF16
#define ITO_KERNELS "winograd.inl"
#include "multiversion.h"

namespace {

constexpr int64_t kOutputs = 16;  // output channels a weight panel serves

int64_t products_of(const ito_winograd_desc& d) { return products_along_axis(d) * products_along_axis(d); }
int64_t panels_of(const ito_winograd_desc& d) { return (d.out_channels + kOutputs - 1) / kOutputs; }
int64_t tiles_of(const ito_winograd_desc& d) {
  return d.batch * ((d.out_height + d.tile - 1) / d.tile) * ((d.out_width + d.tile - 1) / d.tile);
}

// Tiles of a block. The kernels are transformed once for each block, so it is large; but with AVX2 its values stay in cache
// where those of kFewTiles do. With AVX-512 fewer transforms gain more. Pairs are read half as fast.
constexpr int64_t kTiles = 96, kFewTiles = 24, kTilesOfPairs = 256, kCachedValues = 5 << 16;  // floats

int64_t largest_block(const ito_winograd_desc& d) {
  if (by_pairs(d)) return kTilesOfPairs;
  if (ito_isa() >= ITO_ISA_AVX512) return kTiles;
  const int64_t fitting = kCachedValues / (products_of(d) * (d.channels + 1));
  return fitting >= kTiles || fitting < kFewTiles ? kTiles : fitting;
}

// What a convolution costs, in multiplications of a tile's value by a kernel's. Fitted to one core of a Zen 3 (AVX2) and
// one of an Emerald Rapids (AVX-512): there the products take half the time, the transforms, which wait for memory, do not.
// oneDNN's direct convolution reads a weight from memory in the time of 15; strides take it half as long again with AVX2,
// no longer with AVX-512.
constexpr double kDirectWeightFromMemory = 15, kSlack = 1.1;
constexpr int64_t kCachedWeights = 2 << 20;  // floats

double direct_cost(const ito_winograd_desc& d) {
  double weights = 9 * double(d.channels) * double(d.out_channels);
  double strided = d.stride == 2 && ito_isa() < ITO_ISA_AVX512 ? 1.5 : 1;
  double products = double(d.batch * d.out_height * d.out_width) * weights * strided;
  double cost = products + weights * (weights > kCachedWeights ? kDirectWeightFromMemory : 1);
  return d.dtype == ITO_BF16 && ito_bf16_pairs_pay() ? cost / 2 : cost;
}
// A block of tiles by some panels, their transforms included.
double block_cost(const ito_winograd_desc& d, int64_t tiles, int64_t panels) {
  double transforms = by_pairs(d) ? 1.2 : ito_isa() >= ITO_ISA_AVX512 ? 2 : 1;
  double input = transforms * (d.tile == 4 ? 22 : d.stride == 2 ? 20 : 12), output = transforms * (d.tile == 4 ? 24 : 17);
  double kernel = transforms * 5, channels = double(d.channels), outputs = double(panels * kOutputs);
  double products = channels * outputs / (by_pairs(d) ? 2 : 1);
  double values = double(tiles) * (products + input * channels + output * outputs);
  return double(products_of(d)) * (values + kernel * channels * outputs);
}

// How the work is shared out: blocks of tiles, and parts of the panels, each of which transforms its tiles again.
struct Division {
  int64_t blocks, parts;
};
// The quickest for that many threads. What is computed does not depend on it.
Division divide(const ito_winograd_desc& d, int64_t panels, int64_t threads) {
  int64_t tiles = tiles_of(d), fewest = (tiles + largest_block(d) - 1) / largest_block(d);
  Division best{fewest, 1};
  double least = 0;
  for (int64_t blocks = fewest; blocks == fewest || (blocks <= tiles && blocks < fewest + threads); blocks++) {
    for (int64_t parts = 1; parts == 1 || (parts <= 2 * threads && parts * 4 <= panels); parts++) {
      int64_t turns = (blocks * parts + threads - 1) / threads;
      double cost = double(turns) * block_cost(d, (tiles + blocks - 1) / blocks, (panels + parts - 1) / parts);
      if (least == 0 || cost < least) {
        least = cost;
        best = {blocks, parts};
      }
    }
    if (threads == 1) break;
  }
  return best;
}

double winograd_cost(const ito_winograd_desc& d) {
  Division division = divide(d, panels_of(d), 1);
  int64_t block = (tiles_of(d) + division.blocks - 1) / division.blocks;
  return double(division.blocks) * block_cost(d, block, panels_of(d));
}

std::atomic<int> limit{-1};

int requested_limit() {
  const char* text = getenv("ITO_WINOGRAD");
  int tile = text ? atoi(text) : 4;
  return tile >= 4 ? 4 : tile >= 2 ? 2 : 0;
}

struct Convolution {
  const ito_winograd_desc& desc;
  const void *x, *kernels;
  const ito_winograd_epilogue* epilogue;
  void* out;
  int64_t first_panel, panels;  // the output channels computed, whose kernels these are
  int64_t tiles, block, blocks, parts;

  Convolution(const ito_winograd_desc& d, const void* x, const void* kernels, const ito_winograd_epilogue* epilogue,
              void* out, int64_t first_panel, int64_t panels)
      : desc(d), x(x), kernels(kernels), epilogue(epilogue), out(out), first_panel(first_panel), panels(panels),
        tiles(tiles_of(d)) {
    Division division = divide(d, panels, ito_threads());
    parts = division.parts;
    block = (tiles + division.blocks - 1) / division.blocks;
    blocks = (tiles + block - 1) / block;
  }

  void run(int64_t begin, int64_t end) const {
    int64_t zeros = (desc.channels + 15) / 16 * 16, values = ITO_DISPATCH(winograd_value_count)(desc, block);
    int64_t sums = ITO_DISPATCH(winograd_pass)(desc) * products_of(desc) * block * kOutputs;
    size_t bytes = size_t(zeros + values + sums + ITO_DISPATCH(winograd_weight_count)(desc)) * 4;
    float* scratch = static_cast<float*>(ito_alloc(bytes));
    memset(scratch, 0, size_t(zeros) * 4);
    for (int64_t item = begin; item < end; item++) {
      int64_t part = item / blocks, first = item % blocks * block;
      int64_t last = first + block < tiles ? first + block : tiles;
      WinogradTiles job{&desc, x, kernels, scratch, epilogue, out, first, last - first, panels * part / parts,
                        panels * (part + 1) / parts, first_panel, scratch + zeros, scratch + zeros + values,
                        scratch + zeros + values + sums};
      ITO_DISPATCH(winograd_range)(job);
    }
    ito_free(scratch, bytes);
  }
};

// A part of the output channels, on all threads.
void convolve(const Convolution& job) {
  ito_parallel_for(
      job.blocks * job.parts, 1,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<const Convolution*>(ctx)->run(begin, end); },
      const_cast<Convolution*>(&job));
}

constexpr size_t kScratch = size_t(64) << 20;  // bytes of kernels packed for one call

}  // namespace

extern "C" {

int ito_winograd_limit(void) {
  int tile = limit.load(std::memory_order_relaxed);
  if (tile < 0) {
    tile = requested_limit();
    limit.store(tile, std::memory_order_relaxed);
  }
  return tile;
}
void ito_set_winograd_limit(int tile) { limit.store(tile, std::memory_order_relaxed); }

int64_t ito_winograd_choice(const ito_winograd_desc* desc) {
  ito_winograd_desc d = *desc;
  int64_t best = 0;
  double least = direct_cost(d) / kSlack;
  if (d.doubles && (d.pad_top != 1 || d.pad_left != 1 || d.out_height != 2 * d.height || d.out_width != 2 * d.width))
    return 0;
  for (int64_t tile = 2; tile <= (d.doubles || d.stride == 2 ? 2 : 4) && tile <= ito_winograd_limit(); tile += 2) {
    d.tile = tile;
    double cost = winograd_cost(d);
    if (cost < least) {
      least = cost;
      best = tile;
    }
  }
  return best;
}

size_t ito_winograd_packed_bytes(const ito_winograd_desc* desc) {
  return size_t(panels_of(*desc) * panel_bytes(*desc));
}

void ito_winograd_pack(const ito_winograd_desc* desc, const void* kernel, int order, void* packed) {
  ito_winograd_pack_panels(desc, kernel, order, 0, panels_of(*desc), packed);
}

void ito_winograd(const ito_winograd_desc* desc, const void* x, const void* packed,
                  const ito_winograd_epilogue* epilogue, void* out) {
  convolve(Convolution(*desc, x, packed, epilogue, out, 0, panels_of(*desc)));
}

void ito_winograd_packing(const ito_winograd_desc* desc, const void* x, const void* kernel, int order,
                          const ito_winograd_epilogue* epilogue, void* out) {
  int64_t panels = panels_of(*desc);
  size_t panel = size_t(panel_bytes(*desc)), bytes = panel * size_t(panels);
  // One size of block for all larger kernels, which the allocator then hands from layer to layer.
  if (bytes > kScratch / 16) bytes = panel > kScratch ? panel : kScratch;
  int64_t each = int64_t(bytes / panel);
  void* scratch = ito_alloc(bytes);
  for (int64_t first = 0; first < panels; first += each) {
    int64_t count = first + each < panels ? each : panels - first;
    ito_winograd_pack_panels(desc, kernel, order, first, count, scratch);
    convolve(Convolution(*desc, x, scratch, epilogue, out, first, count));
  }
  ito_free(scratch, bytes);
}

}  // extern "C"
