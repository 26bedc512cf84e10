#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "include/ito_unary.h"
#include "include/ito_winograd.h"
#include "winograd_weights.h"

namespace {

// Some tiles and output channels of one convolution, and room for one call.
struct WinogradTiles {
  const ito_winograd_desc* desc;
  const float *x, *weights, *zeros;
  const ito_winograd_epilogue* epilogue;
  float* out;
  int64_t first, count;               // tiles
  int64_t first_output, last_output;  // multiples of kLanes but the end
  int64_t first_weight;               // the output channel whose weights come first
  float* values;                      // [n^2, count, channels], n products along an axis
  float* products;                    // [panels, n^2, count, 16]
  int64_t panels;                     // whose products are found together
};

}  // namespace

#define ITO_KERNELS "winograd.inl"
#include "multiversion.h"

namespace {

constexpr int64_t kOutputs = 16;  // output channels a weight panel serves

int64_t products_of(const ito_winograd_desc& d) { return products_along_axis(d) * products_along_axis(d); }
int64_t panels_of(const ito_winograd_desc& d) { return (d.out_channels + kOutputs - 1) / kOutputs; }
int64_t tiles_of(const ito_winograd_desc& d) {
  return d.batch * ((d.out_height + d.tile - 1) / d.tile) * ((d.out_width + d.tile - 1) / d.tile);
}

// Weights are read once for each block of tiles, from memory when they exceed the cache: then blocks
// are larger, although their values leave the second-level cache.
constexpr int64_t kCachedWeights = 2 << 20;  // floats
constexpr int64_t kTiles = 24, kTilesOfLarge = 96;
constexpr int64_t kCachedValues = 5 << 16;  // floats; below, panels one at a time were as quick

int64_t largest_block(const ito_winograd_desc& d) {
  return ito_winograd_weights_count(&d) > kCachedWeights ? kTilesOfLarge : kTiles;
}

// What a convolution costs, in multiplications by weights in cache. Fitted to one core of a Zen 3 (AVX2): reading a
// weight from memory takes the time of 10 (15 where nothing is fetched ahead), transforming a value that of 12 to 24,
// and oneDNN's strided convolution of NHWC half as long again as its plain one.
constexpr double kWeightFromMemory = 10, kDirectWeightFromMemory = 15, kDirectStrided = 1.5, kSlack = 1.1;
constexpr int64_t kLargestWeights4 = 48 << 20;  // floats; four times the kernels' own size

double direct_cost(const ito_winograd_desc& d) {
  double weights = 9 * double(d.channels) * double(d.out_channels);
  double products = double(d.batch * d.out_height * d.out_width) * weights * (d.stride == 2 ? kDirectStrided : 1);
  return products + weights * (weights > kCachedWeights ? kDirectWeightFromMemory : 1);
}
// A block of tiles by some panels, their transforms included.
double block_cost(const ito_winograd_desc& d, int64_t tiles, int64_t panels) {
  double input = d.tile == 4 ? 22 : 12, output = d.tile == 4 ? 24 : 17;
  double channels = double(d.channels), outputs = double(panels * kOutputs);
  double weight = ito_winograd_weights_count(&d) > kCachedWeights ? kWeightFromMemory : 1;
  double values = double(tiles) * (channels * outputs + input * channels + output * outputs);
  return double(products_of(d)) * (values + weight * channels * outputs);
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
  const float *x, *weights;
  const ito_winograd_epilogue* epilogue;
  float* out;
  int64_t first_panel, panels;  // the output channels computed, whose weights these are
  int64_t tiles, block, blocks, parts, together;

  Convolution(const ito_winograd_desc& d, const float* x, const float* weights, const ito_winograd_epilogue* epilogue,
              float* out, int64_t first_panel, int64_t panels)
      : desc(d), x(x), weights(weights), epilogue(epilogue), out(out), first_panel(first_panel), panels(panels),
        tiles(tiles_of(d)) {
    Division division = divide(d, panels, ito_threads());
    parts = division.parts;
    block = (tiles + division.blocks - 1) / division.blocks;
    blocks = (tiles + block - 1) / block;
    // Values of tiles that do not stay in the second-level cache are read once for four panels.
    together = products_of(d) * block * d.channels > kCachedValues ? 4 : 1;
  }

  void run(int64_t begin, int64_t end) const {
    int64_t products = products_of(desc);
    size_t zeros = size_t(desc.channels) * 4, values = size_t(products * block * desc.channels) * 4;
    size_t sums = size_t(together * products * block * kOutputs) * 4, bytes = zeros + values + sums;
    float* scratch = static_cast<float*>(ito_alloc(bytes));
    memset(scratch, 0, zeros);
    for (int64_t item = begin; item < end; item++) {
      int64_t part = item / blocks, first = item % blocks * block;
      int64_t last = first + block < tiles ? first + block : tiles;
      int64_t last_output = (first_panel + panels * (part + 1) / parts) * kOutputs;
      WinogradTiles job{&desc, x, weights, scratch, epilogue, out, first, last - first,
                        (first_panel + panels * part / parts) * kOutputs,
                        last_output < desc.out_channels ? last_output : desc.out_channels,
                        first_panel * kOutputs, scratch + zeros / 4, scratch + (zeros + values) / 4, together};
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

constexpr size_t kScratch = size_t(64) << 20;  // bytes of weights transformed for one call

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
    if (tile == 4 && ito_winograd_weights_count(&d) > kLargestWeights4) continue;
    double cost = winograd_cost(d);
    if (cost < least) {
      least = cost;
      best = tile;
    }
  }
  return best;
}

int64_t ito_winograd_weights_count(const ito_winograd_desc* desc) {
  return panels_of(*desc) * products_of(*desc) * desc->channels * kOutputs;
}

void ito_winograd_weights(const ito_winograd_desc* desc, const void* kernel, int dtype, int order,
                          float* transformed) {
  ito_winograd_panels(desc, kernel, dtype, order, 0, panels_of(*desc), transformed);
}

void ito_winograd(const ito_winograd_desc* desc, const float* x, const float* transformed,
                  const ito_winograd_epilogue* epilogue, float* out) {
  convolve(Convolution(*desc, x, transformed, epilogue, out, 0, panels_of(*desc)));
}

void ito_winograd_transforming(const ito_winograd_desc* desc, const float* x, const void* kernel, int dtype,
                               int order, const ito_winograd_epilogue* epilogue, float* out) {
  int64_t panels = panels_of(*desc);
  size_t panel = size_t(products_of(*desc) * desc->channels * kOutputs) * 4, bytes = panel * size_t(panels);
  // One size of block for all larger kernels, which the allocator then hands from layer to layer.
  if (bytes > kScratch / 16) bytes = panel > kScratch ? panel : kScratch;
  int64_t each = int64_t(bytes / panel);
  float* scratch = static_cast<float*>(ito_alloc(bytes));
  for (int64_t first = 0; first < panels; first += each) {
    int64_t count = first + each < panels ? each : panels - first;
    ito_winograd_panels(desc, kernel, dtype, order, first, count, scratch);
    convolve(Convolution(*desc, x, scratch, epilogue, out, first, count));
  }
  ito_free(scratch, bytes);
}

}  // extern "C"
