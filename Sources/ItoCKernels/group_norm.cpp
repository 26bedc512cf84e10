#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "group_norm_block.h"

#define ITO_KERNELS "group_norm.inl"
#define ITO_KERNELS_ROUND_BF16
#include "multiversion.h"

namespace {

constexpr int64_t kBlockElements = 32768;  // stay in the second-level cache between two passes
constexpr int64_t kGrain = 16384;          // elements worth a thread
constexpr int64_t kVectors = 6;            // channel vectors of a sample
constexpr int64_t kBlockVectors = 3;       // of a block: two of sums, and its centre

// A sample's pixels are cut into blocks by its size alone, so that sums do not depend on the threads.
// A block's groups are measured about their own means, in two passes in cache, and blocks combined
// in double: no data makes the variance cancel.
class GroupNorm {
 public:
  const ito_channels* x;
  int64_t parts;
  const void* g = nullptr;
  int dtype;
  const float *offset, *weight, *bias;
  int64_t weight_stride, batch, pixels, channels, groups;
  bool silu;
  void* out;
  float *mean, *rstd;  // [batch, groups]
  float epsilon = 0;

  GroupNorm(const ito_channels* x, int64_t parts, int dtype, const float* offset, const float* weight,
            const float* bias, int per_sample, int64_t batch, int64_t pixels, int64_t channels, int64_t groups, int silu,
            void* out, float* mean, float* rstd)
      : x(x), parts(parts), dtype(dtype), offset(offset), weight(weight), bias(bias),
        weight_stride(per_sample ? channels : 0), batch(batch), pixels(pixels), channels(channels), groups(groups),
        silu(silu != 0), out(out), mean(mean), rstd(rstd) {
    block_pixels = kBlockElements / channels < 16 ? 16 : kBlockElements / channels;
    blocks = (pixels + block_pixels - 1) / block_pixels;
    floats = static_cast<float*>(ito_alloc(float_bytes()));
    moments = static_cast<double*>(ito_alloc(moment_bytes()));
  }
  ~GroupNorm() {
    ito_free(floats, float_bytes());
    ito_free(moments, moment_bytes());
  }
  GroupNorm(const GroupNorm&) = delete;

  void forward() { run<&GroupNorm::measure, &GroupNorm::finish_forward, GroupPass::write>(); }

  void measure_all(float* variance) {
    each(batch * blocks, grain(), [](GroupNorm& n, int64_t item) { n.measure(item); });
    for (int64_t sample = 0; sample < batch; sample++) {
      for (int64_t group = 0; group < groups; group++) {
        auto [m, v] = moments_of(sample, group);
        mean[sample * groups + group] = float(m);
        variance[sample * groups + group] = float(v);
      }
    }
  }

  // By the mean and rstd that there are.
  void write() {
    for (int64_t sample = 0; sample < batch; sample++) fill_vectors(sample, true);
    pass<GroupPass::write>();
  }

  void backward(float* dweight, float* dbias) {
    for (int64_t sample = 0; sample < batch; sample++) fill_vectors(sample, false);
    run<&GroupNorm::sum_gradients, &GroupNorm::finish_backward, GroupPass::gradient_write>();
    for (int64_t sample = 0; sample < batch; sample++) {
      const float* kept = block_floats(sample * blocks);
      for (int64_t c = 0; c < channels; c++) {
        dbias[sample * weight_stride + c] += kept[c];
        dweight[sample * weight_stride + c] += kept[channels + c];
      }
    }
  }

 private:
  int64_t block_pixels, blocks;
  float* floats;    // [batch, kVectors, channels], then [batch, blocks, kBlockVectors, channels]
  double* moments;  // [batch, blocks, groups, 2]: mean, sum of squares about it

  size_t float_bytes() const { return size_t(batch * (kVectors + blocks * kBlockVectors) * channels) * 4; }
  size_t moment_bytes() const { return size_t(batch * blocks * groups * 2) * 8; }
  // Blocks worth a thread.
  int64_t grain() const { return 1 + kGrain / ((pixels < block_pixels ? pixels : block_pixels) * channels); }
  int64_t width() const { return channels / groups; }
  float* vector(int64_t sample, int64_t which) const { return floats + (sample * kVectors + which) * channels; }
  float* block_floats(int64_t item) const { return floats + (batch * kVectors + item * kBlockVectors) * channels; }
  double* block_moments(int64_t item) const { return moments + item * groups * 2; }
  float offset_of(int64_t sample, int64_t c) const { return offset ? offset[sample * channels + c] : 0.0f; }

  GroupBlock block(int64_t item) const {
    int64_t sample = item / blocks, first = item % blocks * block_pixels;
    int64_t count = pixels - first < block_pixels ? pixels - first : block_pixels;
    GroupVectors vectors{vector(sample, 0), vector(sample, 1), vector(sample, 2),
                         vector(sample, 3), vector(sample, 4), vector(sample, 5)};
    return GroupBlock{x, parts, g, out, sample * pixels + first, count, channels, vectors, block_floats(item), silu};
  }

  // Means of a block's groups and the sums of squares about them.
  void measure(int64_t item) {
    GroupBlock k = block(item);
    int64_t sample = item / blocks;
    double pixels = double(k.pixels);
    double* moments = block_moments(item);
    k.vectors.centre = k.sums + 2 * channels;
    ITO_DISPATCH(group_block)(k, dtype, GroupPass::sums);
    for (int64_t group = 0; group < groups; group++) {
      double sum = 0;
      for (int64_t c = group * width(); c < (group + 1) * width(); c++)
        sum += double(k.sums[c]) + pixels * double(offset_of(sample, c));
      double mean = sum / (pixels * double(width()));
      for (int64_t c = group * width(); c < (group + 1) * width(); c++)
        k.vectors.centre[c] = float(mean - double(offset_of(sample, c)));
      moments[2 * group] = mean;
    }
    ITO_DISPATCH(group_block)(k, dtype, GroupPass::squares);
    for (int64_t group = 0; group < groups; group++) {
      double square = 0;
      for (int64_t c = group * width(); c < (group + 1) * width(); c++) square += double(k.sums[c]);
      moments[2 * group + 1] = square;
    }
  }

  // Mean and variance of a sample's group from those of its blocks (Chan et al. 1979, equation 2.1).
  std::pair<double, double> moments_of(int64_t sample, int64_t group) const {
    double total = 0, spread = 0;
    for (int64_t b = 0; b < blocks; b++)
      total += double(block(sample * blocks + b).pixels) * block_moments(sample * blocks + b)[2 * group];
    double centre = total / double(pixels);
    for (int64_t b = 0; b < blocks; b++) {
      const double* m = block_moments(sample * blocks + b) + 2 * group;
      double count = double(block(sample * blocks + b).pixels * width());
      spread += m[1] + count * (m[0] - centre) * (m[0] - centre);
    }
    return {centre, spread / double(pixels * width())};
  }

  void finish_forward(int64_t sample) {
    for (int64_t group = 0; group < groups; group++) {
      auto [m, v] = moments_of(sample, group);
      mean[sample * groups + group] = float(m);
      rstd[sample * groups + group] = float(1 / sqrt(v + double(epsilon)));
    }
    fill_vectors(sample, true);
  }

  void fill_vectors(int64_t sample, bool forward) {
    for (int64_t c = 0; c < channels; c++) {
      int64_t at = sample * groups + c / width();
      float w = weight ? weight[sample * weight_stride + c] : 1.0f;
      vector(sample, 0)[c] = mean[at] - offset_of(sample, c);
      vector(sample, 1)[c] = rstd[at];
      vector(sample, 2)[c] = forward ? w * rstd[at] : w;
      vector(sample, 3)[c] = bias ? bias[sample * weight_stride + c] : 0.0f;
    }
  }

  void sum_gradients(int64_t item) { ITO_DISPATCH(group_block)(block(item), dtype, GroupPass::gradient_sums); }

  // The channel sums of a sample, kept in its first block for the weights, and from them the group
  // means of w d and w d n.
  void finish_backward(int64_t sample) {
    float *a = vector(sample, 4), *b = vector(sample, 5), *w = vector(sample, 2);
    float* kept = block_floats(sample * blocks);
    double count = double(pixels * width());
    for (int64_t group = 0; group < groups; group++) {
      double group_sum = 0, group_product = 0;
      for (int64_t c = group * width(); c < (group + 1) * width(); c++) {
        double sum = 0, product = 0;
        for (int64_t item = sample * blocks; item < (sample + 1) * blocks; item++) {
          sum += double(block_floats(item)[c]);
          product += double(block_floats(item)[channels + c]);
        }
        kept[c] = float(sum);
        kept[channels + c] = float(product);
        group_sum += double(w[c]) * sum;
        group_product += double(w[c]) * product;
      }
      for (int64_t c = group * width(); c < (group + 1) * width(); c++) {
        a[c] = float(group_sum / count);
        b[c] = float(group_product / count);
      }
    }
  }

  template <GroupPass which>
  void pass() {
    each(batch * blocks, grain(),
         [](GroupNorm& n, int64_t item) { ITO_DISPATCH(group_block)(n.block(item), n.dtype, which); });
  }

  // `prepare` of each block, `finish` of each sample, `last` of each block. A sample of one block goes
  // through all three while it is in cache.
  template <void (GroupNorm::*prepare)(int64_t), void (GroupNorm::*finish)(int64_t), GroupPass last>
  void run() {
    if (blocks == 1) {
      each(batch, grain(), [](GroupNorm& n, int64_t sample) {
        (n.*prepare)(sample);
        (n.*finish)(sample);
        ITO_DISPATCH(group_block)(n.block(sample), n.dtype, last);
      });
      return;
    }
    each(batch * blocks, grain(), [](GroupNorm& n, int64_t item) { (n.*prepare)(item); });
    for (int64_t sample = 0; sample < batch; sample++) (this->*finish)(sample);
    pass<last>();
  }

  template <typename Body>
  void each(int64_t count, int64_t grain, const Body& body) {
    struct Call {
      GroupNorm& norm;
      const Body& body;
    } call{*this, body};
    ito_parallel_for(
        count, grain,
        [](void* ctx, int64_t begin, int64_t end) {
          const Call& call = *static_cast<Call*>(ctx);
          for (int64_t i = begin; i < end; i++) call.body(call.norm, i);
        },
        &call);
  }
};

}  // namespace

extern "C" {

void ito_group_norm(const ito_channels* x, int64_t parts, int dtype, const float* offset, const float* weight,
                    const float* bias, int per_sample, int64_t batch, int64_t pixels, int64_t groups, float epsilon,
                    int silu, void* out, float* mean, float* rstd) {
  int64_t channels = 0;
  for (int64_t i = 0; i < parts; i++) channels += x[i].channels;
  if (batch * pixels * channels == 0) return;
  GroupNorm n(x, parts, dtype, offset, weight, bias, per_sample, batch, pixels, channels, groups, silu, out, mean, rstd);
  n.epsilon = epsilon;
  n.forward();
}

void ito_group_moments(const void* x, int dtype, int64_t batch, int64_t pixels, int64_t channels, int64_t groups,
                       float* mean, float* variance) {
  if (batch * pixels * channels == 0) return;
  const ito_channels whole{x, channels};
  GroupNorm n(&whole, 1, dtype, nullptr, nullptr, nullptr, 0, batch, pixels, channels, groups, 0, nullptr, mean, nullptr);
  n.measure_all(variance);
}

void ito_group_norm_by_moments(const void* x, int dtype, const float* weight, const float* bias, int64_t batch,
                               int64_t pixels, int64_t channels, int64_t groups, const float* mean,
                               const float* variance, float epsilon, int silu, void* out) {
  if (batch * pixels * channels == 0) return;
  const ito_channels whole{x, channels};
  std::vector<float> rstd(size_t(batch * groups));
  for (size_t i = 0; i < rstd.size(); i++) rstd[i] = float(1 / sqrt(double(variance[i]) + double(epsilon)));
  GroupNorm n(&whole, 1, dtype, nullptr, weight, bias, 0, batch, pixels, channels, groups, silu, out,
              const_cast<float*>(mean), rstd.data());
  n.write();
}

void ito_group_norm_gradient(const void* x, const void* g, int dtype, const float* offset, const float* weight,
                             const float* bias, int per_sample, int64_t batch, int64_t pixels, int64_t channels,
                             int64_t groups, int silu, const float* mean, const float* rstd, void* dx,
                             float* dweight, float* dbias) {
  size_t weights = size_t(channels * (per_sample ? batch : 1)) * 4;
  memset(dweight, 0, weights);
  memset(dbias, 0, weights);
  if (batch * pixels * channels == 0) return;
  const ito_channels whole{x, channels};
  GroupNorm n(&whole, 1, dtype, offset, weight, bias, per_sample, batch, pixels, channels, groups, silu, dx,
              const_cast<float*>(mean), const_cast<float*>(rstd));
  n.g = g;
  n.backward(dweight, dbias);
}

}  // extern "C"
