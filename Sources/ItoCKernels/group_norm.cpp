#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "include/ito_norm.h"

namespace {
// What the kernels need of one block of pixels of one sample; channel vectors have `channels` values.
struct GroupBlock {
  const void *x, *g, *shift;
  void* out;
  int64_t pixels, channels;
  const float *mean, *rstd, *weight, *bias, *a, *b;
  float* sums;  // two channel vectors
  bool silu;
};
}  // namespace

#define ITO_KERNELS "group_norm.inl"
#define ITO_KERNELS_ROUND_BF16
#include "multiversion.h"

namespace {

// A sample's pixels are cut into blocks by its size alone, so that sums do not depend on the threads.
struct GroupNorm {
  const char *x, *g;
  int dtype;
  const float *weight, *bias;
  int64_t batch, pixels, channels, groups, block_pixels, blocks;
  float epsilon;
  bool silu;
  char* out;
  float *mean, *rstd;  // [batch, groups]
  float* sums;         // [batch, blocks, 2, channels]
  float* vectors;      // [batch, 6, channels]: what the writing pass needs

  GroupNorm(const void* x, const void* g, int dtype, const float* weight, const float* bias, int64_t batch,
            int64_t pixels, int64_t channels, int64_t groups, float epsilon, int silu, void* out, float* mean,
            float* rstd)
      : x(static_cast<const char*>(x)), g(static_cast<const char*>(g)), dtype(dtype), weight(weight), bias(bias),
        batch(batch), pixels(pixels), channels(channels), groups(groups), epsilon(epsilon), silu(silu != 0),
        out(static_cast<char*>(out)), mean(mean), rstd(rstd) {
    block_pixels = 65536 / channels;
    if (block_pixels < 16) block_pixels = 16;
    blocks = (pixels + block_pixels - 1) / block_pixels;
    sums = static_cast<float*>(ito_alloc(sums_bytes()));
    vectors = static_cast<float*>(ito_alloc(vectors_bytes()));
  }
  ~GroupNorm() {
    ito_free(sums, sums_bytes());
    ito_free(vectors, vectors_bytes());
  }
  GroupNorm(const GroupNorm&) = delete;

  size_t sums_bytes() const { return size_t(batch * blocks * 2 * channels) * 4; }
  size_t vectors_bytes() const { return size_t(batch * 6 * channels) * 4; }
  int64_t size() const { return dtype == ITO_BF16 ? 2 : 4; }
  float* vector(int64_t sample, int which) const { return vectors + (sample * 6 + which) * channels; }
  float* block_sums(int64_t sample, int64_t block) const { return sums + (sample * blocks + block) * 2 * channels; }

  GroupBlock block(int64_t item) const {
    int64_t sample = item / blocks, index = item % blocks, first = index * block_pixels;
    int64_t count = pixels - first < block_pixels ? pixels - first : block_pixels;
    int64_t at = (sample * pixels + first) * channels * size();
    return GroupBlock{x + at,
                      g ? g + at : nullptr,
                      x + sample * pixels * channels * size(),
                      out + at,
                      count,
                      channels,
                      vector(sample, 0),
                      vector(sample, 1),
                      vector(sample, 2),
                      vector(sample, 3),
                      vector(sample, 4),
                      vector(sample, 5),
                      block_sums(sample, index),
                      silu};
  }

  void each_block(void (*body)(void*, int64_t, int64_t)) {
    int64_t work = (pixels < block_pixels ? pixels : block_pixels) * channels;
    ito_parallel_for(batch * blocks, 1 + 16384 / (work > 0 ? work : 1), body, this);
  }
};

float value_of(const char* p, int dtype) {
  float v;
  if (dtype == ITO_BF16) {
    uint16_t half;
    memcpy(&half, p, 2);
    uint32_t bits = uint32_t(half) << 16;
    memcpy(&v, &bits, 4);
  } else {
    memcpy(&v, p, 4);
  }
  return v;
}

// Means and deviations of a sample's groups from the sums of its blocks, and the channel vectors.
void finish_statistics(GroupNorm& n, int64_t sample) {
  int64_t width = n.channels / n.groups;
  double pixels = double(n.pixels);
  const char* first = n.x + sample * n.pixels * n.channels * n.size();
  std::vector<double> means(n.channels), spreads(n.channels);
  for (int64_t c = 0; c < n.channels; c++) {
    double sum = 0, square = 0;
    for (int64_t b = 0; b < n.blocks; b++) {
      sum += n.block_sums(sample, b)[c];
      square += n.block_sums(sample, b)[n.channels + c];
    }
    means[c] = value_of(first + c * n.size(), n.dtype) + sum / pixels;
    double spread = square - sum * sum / pixels;
    spreads[c] = spread > 0 ? spread : 0;
  }
  for (int64_t group = 0; group < n.groups; group++) {
    double mean = 0, spread = 0;
    for (int64_t c = group * width; c < (group + 1) * width; c++) mean += means[c];
    mean /= double(width);
    for (int64_t c = group * width; c < (group + 1) * width; c++)
      spread += spreads[c] + pixels * (means[c] - mean) * (means[c] - mean);
    double rstd = 1 / sqrt(spread / (pixels * double(width)) + n.epsilon);
    n.mean[sample * n.groups + group] = float(mean);
    n.rstd[sample * n.groups + group] = float(rstd);
  }
}

// Spreads the groups' statistics over channels. `forward` folds the deviation into the weight.
void fill_vectors(GroupNorm& n, int64_t sample, bool forward) {
  int64_t width = n.channels / n.groups;
  for (int64_t c = 0; c < n.channels; c++) {
    int64_t at = sample * n.groups + c / width;
    float w = n.weight ? n.weight[c] : 1.0f;
    n.vector(sample, 0)[c] = n.mean[at];
    n.vector(sample, 1)[c] = n.rstd[at];
    n.vector(sample, 2)[c] = forward ? w * n.rstd[at] : w;
    n.vector(sample, 3)[c] = n.bias ? n.bias[c] : 0.0f;
  }
}

template <bool kForward, bool kStatistics>
void run_blocks(void* ctx, int64_t begin, int64_t end) {
  const GroupNorm& n = *static_cast<GroupNorm*>(ctx);
  for (int64_t item = begin; item < end; item++) {
    GroupBlock k = n.block(item);
    if (kForward)
      ITO_DISPATCH(group_forward)(k, n.dtype, kStatistics);
    else
      ITO_DISPATCH(group_backward)(k, n.dtype, kStatistics);
  }
}

}  // namespace

extern "C" void ito_group_norm(const void* x, int dtype, const float* weight, const float* bias, int64_t batch,
                               int64_t pixels, int64_t channels, int64_t groups, float epsilon, int silu, void* out,
                               float* mean, float* rstd) {
  if (batch * pixels * channels == 0) return;
  GroupNorm n(x, nullptr, dtype, weight, bias, batch, pixels, channels, groups, epsilon, silu, out, mean, rstd);
  if (n.blocks == 1) {
    // A sample is one block: its three passes follow each other while it is in cache.
    int64_t work = pixels * channels;
    ito_parallel_for(
        batch, 1 + 16384 / work,
        [](void* ctx, int64_t begin, int64_t end) {
          GroupNorm& n = *static_cast<GroupNorm*>(ctx);
          for (int64_t sample = begin; sample < end; sample++) {
            GroupBlock k = n.block(sample);
            ITO_DISPATCH(group_forward)(k, n.dtype, true);
            finish_statistics(n, sample);
            fill_vectors(n, sample, true);
            ITO_DISPATCH(group_forward)(k, n.dtype, false);
          }
        },
        &n);
    return;
  }
  n.each_block(run_blocks<true, true>);
  for (int64_t sample = 0; sample < batch; sample++) {
    finish_statistics(n, sample);
    fill_vectors(n, sample, true);
  }
  n.each_block(run_blocks<true, false>);
}

namespace {

// The sample's channel sums in `vector(sample, 4 and 5)`.
void add_sums(GroupNorm& n, int64_t sample) {
  float *a = n.vector(sample, 4), *b = n.vector(sample, 5);
  for (int64_t c = 0; c < n.channels; c++) {
    double sum = 0, product = 0;
    for (int64_t block = 0; block < n.blocks; block++) {
      sum += n.block_sums(sample, block)[c];
      product += n.block_sums(sample, block)[n.channels + c];
    }
    a[c] = float(sum);
    b[c] = float(product);
  }
}

// Turns channel sums into the group means of w d and w d n, after keeping the sums for the weights.
void mean_sums(GroupNorm& n, int64_t sample) {
  int64_t width = n.channels / n.groups;
  float *a = n.vector(sample, 4), *b = n.vector(sample, 5), *w = n.vector(sample, 2);
  float* kept = n.block_sums(sample, 0);
  memcpy(kept, a, size_t(n.channels) * 4);
  memcpy(kept + n.channels, b, size_t(n.channels) * 4);
  double count = double(n.pixels * width);
  for (int64_t group = 0; group < n.groups; group++) {
    double sum = 0, product = 0;
    for (int64_t c = group * width; c < (group + 1) * width; c++) {
      sum += double(w[c]) * a[c];
      product += double(w[c]) * b[c];
    }
    for (int64_t c = group * width; c < (group + 1) * width; c++) {
      a[c] = float(sum / count);
      b[c] = float(product / count);
    }
  }
}

}  // namespace

extern "C" void ito_group_norm_gradient(const void* x, const void* g, int dtype, const float* weight,
                                        const float* bias, int64_t batch, int64_t pixels, int64_t channels,
                                        int64_t groups, int silu, const float* mean, const float* rstd, void* dx,
                                        float* dweight, float* dbias) {
  if (dweight) memset(dweight, 0, size_t(channels) * 4);
  if (dbias) memset(dbias, 0, size_t(channels) * 4);
  if (batch * pixels * channels == 0) return;
  GroupNorm n(x, g, dtype, weight, bias, batch, pixels, channels, groups, 0, silu, dx, const_cast<float*>(mean),
              const_cast<float*>(rstd));
  for (int64_t sample = 0; sample < batch; sample++) fill_vectors(n, sample, false);
  if (n.blocks == 1) {
    ito_parallel_for(
        batch, 1 + 16384 / (pixels * channels),
        [](void* ctx, int64_t begin, int64_t end) {
          GroupNorm& n = *static_cast<GroupNorm*>(ctx);
          for (int64_t sample = begin; sample < end; sample++) {
            GroupBlock k = n.block(sample);
            ITO_DISPATCH(group_backward)(k, n.dtype, true);
            add_sums(n, sample);
            mean_sums(n, sample);
            ITO_DISPATCH(group_backward)(k, n.dtype, false);
          }
        },
        &n);
  } else {
    n.each_block(run_blocks<false, true>);
    for (int64_t sample = 0; sample < batch; sample++) {
      add_sums(n, sample);
      mean_sums(n, sample);
    }
    n.each_block(run_blocks<false, false>);
  }
  for (int64_t sample = 0; sample < batch; sample++) {
    const float* kept = n.block_sums(sample, 0);
    for (int64_t c = 0; c < channels; c++) {
      if (dbias) dbias[c] += kept[c];
      if (dweight) dweight[c] += kept[channels + c];
    }
  }
}
