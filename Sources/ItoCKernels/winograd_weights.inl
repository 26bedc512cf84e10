#include "scalar_types.h"
#include "lanes.h"

// The transform of kernels along one axis, the rows of G.
static inline const double (*filter_rows(int64_t tile))[3] {
  static const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  static const double four[6][3] = {{1 / 4.0, 0, 0},
                                    {-1 / 6.0, -1 / 6.0, -1 / 6.0},
                                    {-1 / 6.0, 1 / 6.0, -1 / 6.0},
                                    {1 / 24.0, 1 / 12.0, 1 / 6.0},
                                    {1 / 24.0, -1 / 12.0, 1 / 6.0},
                                    {0, 0, 1}};
  return tile == 4 ? four : two;
}

// The kernels of sixteen output channels, one input channel at a time: an output channel a lane.
template <int m>
static void weights_of_panel(const WinogradWeights& job, int64_t panel) {
  constexpr int n = m + 2;
  const ito_winograd_desc& d = *job.desc;
  const double(*g)[3] = filter_rows(m);
  const int64_t first = panel * kLanes;
  const int64_t count = d.out_channels - first < kLanes ? d.out_channels - first : kLanes;
  // Floats from one output channel, input channel and tap to the next; taps of the adjoint run backwards.
  int64_t output = 9 * d.channels, input = 1, tap = d.channels;
  if (job.order == ITO_KERNEL_ADJOINT) output = 1, input = 9 * d.out_channels, tap = d.out_channels;
  if (job.order == ITO_KERNEL_PUBLISHED) input = 9, tap = 1;
  double taps[9][kLanes] = {}, rows[n][3][kLanes];
  float* to = job.transformed + panel * n * n * d.channels * kLanes;
  for (int64_t c = 0; c < d.channels; c++, to += kLanes) {
    const float* kernel = job.kernel + first * output + c * input;
    for (int t = 0; t < 9; t++) {
      const float* from = kernel + (job.order == ITO_KERNEL_ADJOINT ? 8 - t : t) * tap;
      for (int64_t o = 0; o < count; o++) taps[t][o] = from[o * output];
    }
    for (int i = 0; i < n; i++)
      for (int j = 0; j < 3; j++)
        for (int64_t o = 0; o < kLanes; o++)
          rows[i][j][o] = g[i][0] * taps[j][o] + g[i][1] * taps[3 + j][o] + g[i][2] * taps[6 + j][o];
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        float* values = to + (i * n + j) * d.channels * kLanes;
        for (int64_t o = 0; o < kLanes; o++)
          values[o] = float(rows[i][0][o] * g[j][0] + rows[i][1][o] * g[j][1] + rows[i][2][o] * g[j][2]);
      }
  }
}

static void winograd_weights_panel(const WinogradWeights& job, int64_t panel) {
  (job.desc->tile == 4 ? weights_of_panel<4> : weights_of_panel<2>)(job, panel);
}
