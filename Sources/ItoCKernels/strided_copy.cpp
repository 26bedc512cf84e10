#include <cstdint>
#include <cstring>
#include <utility>

#define ITO_KERNELS "strided_copy.inl"
#include "include/ito_strided_copy.h"
#include "multiversion.h"

namespace {

struct Axis {
  int64_t n, in, out;  // strides in bytes
};

struct Plan {
  const char* in;
  char* out;
  int64_t unit;  // bytes moved at once: an element, or a short contiguous run
  int rank;
  Axis axes[ITO_COPY_AXES];
  int64_t run;               // bytes of a contiguous run, in run mode
  int64_t chunks;            // 64-byte chunks of a run
  Axis rows, columns;        // in transpose mode: `rows` contiguous in out, `columns` in in
  int64_t row_blocks, column_blocks;
};

constexpr int64_t kChunk = 4096;   // bytes of a run that one unit of parallel work copies
constexpr int64_t kTile = 128;      // elements a side of a transposed tile
constexpr int64_t kGrain = 65536;  // bytes that are worth a thread

// Axes of one element go, the rest in the order of the output's strides, neighbours that both
// layouts step through alike merged. Returns false when there is nothing to copy.
bool normalise(Plan& plan, int rank, const int64_t* dims, const int64_t* in, const int64_t* out) {
  plan.rank = 0;
  for (int a = 0; a < rank; a++) {
    if (dims[a] == 0) return false;
    if (dims[a] == 1) continue;
    Axis axis{dims[a], in[a] * plan.unit, out[a] * plan.unit};
    int at = plan.rank++;
    for (; at > 0 && plan.axes[at - 1].out < axis.out; at--) plan.axes[at] = plan.axes[at - 1];
    plan.axes[at] = axis;
  }
  int kept = 0;
  for (int a = 1; a < plan.rank; a++) {
    Axis& outer = plan.axes[kept];
    const Axis& inner = plan.axes[a];
    if (outer.in == inner.in * inner.n && outer.out == inner.out * inner.n)
      outer = Axis{outer.n * inner.n, inner.in, inner.out};
    else
      plan.axes[++kept] = inner;
  }
  if (plan.rank > 0) plan.rank = kept + 1;
  return true;
}

// Calls `f(in, out, i0, n)` for the pieces of [begin, end) of the flattened `axes`, each piece
// within one line of the last axis.
template <typename F>
void for_lines(const Plan& plan, int rank, int64_t begin, int64_t end, F f) {
  int64_t line = rank > 0 ? plan.axes[rank - 1].n : 1;
  int64_t i = begin;
  while (i < end) {
    int64_t rest = i / line, first = i % line;
    const char* in = plan.in;
    char* out = plan.out;
    for (int a = rank - 2; a >= 0; a--) {
      int64_t k = rest % plan.axes[a].n;
      rest /= plan.axes[a].n;
      in += k * plan.axes[a].in;
      out += k * plan.axes[a].out;
    }
    int64_t n = line - first < end - i ? line - first : end - i;
    f(in, out, first, n);
    i += n;
  }
}

int64_t product(const Plan& plan, int rank) {
  int64_t count = 1;
  for (int a = 0; a < rank; a++) count *= plan.axes[a].n;
  return count;
}

void run_contiguous(void* ctx, int64_t begin, int64_t end) {
  const Plan& plan = *static_cast<Plan*>(ctx);
  memcpy(plan.out + begin, plan.in + begin, size_t(end - begin));
}

void run_short_runs(void* ctx, int64_t begin, int64_t end) {
  const Plan& plan = *static_cast<Plan*>(ctx);
  const Axis& last = plan.axes[plan.rank - 1];
  for_lines(plan, plan.rank, begin, end, [&](const char* in, char* out, int64_t first, int64_t n) {
    ITO_DISPATCH(copy_runs)(in + first * last.in, last.in, out + first * last.out, last.out, plan.run, n);
  });
}

// Work units are chunks of runs, so that few long runs are shared evenly too.
void run_long_runs(void* ctx, int64_t begin, int64_t end) {
  const Plan& plan = *static_cast<Plan*>(ctx);
  const Axis& last = plan.axes[plan.rank - 1];
  while (begin < end) {
    int64_t row = begin / plan.chunks, chunk = begin % plan.chunks;
    int64_t chunks = plan.chunks - chunk < end - begin ? plan.chunks - chunk : end - begin;
    int64_t offset = chunk * kChunk;
    int64_t bytes = plan.run - offset < chunks * kChunk ? plan.run - offset : chunks * kChunk;
    for_lines(plan, plan.rank, row, row + 1, [&](const char* in, char* out, int64_t first, int64_t) {
      memcpy(out + first * last.out + offset, in + first * last.in + offset, size_t(bytes));
    });
    begin += chunks;
  }
}

void run_elements(void* ctx, int64_t begin, int64_t end) {
  const Plan& plan = *static_cast<Plan*>(ctx);
  const Axis& last = plan.axes[plan.rank - 1];
  for_lines(plan, plan.rank, begin, end, [&](const char* in, char* out, int64_t first, int64_t n) {
    ITO_DISPATCH(strided_elements)
    (int(plan.unit), in + first * last.in, last.in, out + first * last.out, last.out, n);
  });
}

// Work units are tiles; `axes` holds the axes around the two transposed ones.
void run_transpose(void* ctx, int64_t begin, int64_t end) {
  const Plan& plan = *static_cast<Plan*>(ctx);
  for (int64_t i = begin; i < end; i++) {
    int64_t r = i % plan.row_blocks * kTile, rest = i / plan.row_blocks;
    int64_t c = rest % plan.column_blocks * kTile;
    int64_t outer = rest / plan.column_blocks;
    const char* in = plan.in + r * plan.rows.in + c * plan.columns.in;
    char* out = plan.out + r * plan.rows.out + c * plan.columns.out;
    for (int a = plan.rank - 1; a >= 0; a--) {
      int64_t k = outer % plan.axes[a].n;
      outer /= plan.axes[a].n;
      in += k * plan.axes[a].in;
      out += k * plan.axes[a].out;
    }
    int64_t rows = plan.rows.n - r < kTile ? plan.rows.n - r : kTile;
    int64_t columns = plan.columns.n - c < kTile ? plan.columns.n - c : kTile;
    ITO_DISPATCH(transposed_elements)(int(plan.unit), in, plan.rows.in, out, plan.columns.out, rows, columns);
  }
}

bool is_move_size(int64_t bytes) { return bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16; }

}  // namespace

extern "C" void ito_strided_copy(int element_size, int rank, const int64_t* dims, const void* in,
                                 const int64_t* in_strides, void* out, const int64_t* out_strides) {
  Plan plan{};
  plan.in = static_cast<const char*>(in);
  plan.out = static_cast<char*>(out);
  plan.unit = element_size;
  if (!normalise(plan, rank, dims, in_strides, out_strides)) return;
  if (plan.rank == 0) {
    memcpy(plan.out, plan.in, size_t(plan.unit));
    return;
  }

  Axis last = plan.axes[plan.rank - 1];
  if (last.in == plan.unit && last.out == plan.unit) {
    int64_t run = last.n * plan.unit;
    plan.rank--;
    if (plan.rank == 0) return ito_parallel_for(run, kGrain, run_contiguous, &plan);
    if (!is_move_size(run)) {
      plan.run = run;
      int64_t rows = product(plan, plan.rank);
      if (run <= kChunk) {
        int64_t grain = kGrain / run;
        return ito_parallel_for(rows, grain, run_short_runs, &plan);
      }
      plan.chunks = (run + kChunk - 1) / kChunk;
      return ito_parallel_for(rows * plan.chunks, kGrain / kChunk, run_long_runs, &plan);
    }
    plan.unit = run;
    last = plan.axes[plan.rank - 1];
  }

  // The axis the input steps through unit by unit, if the output does so along another.
  int contiguous = -1;
  if (last.out == plan.unit && last.n >= 4)
    for (int a = 0; a < plan.rank - 1; a++)
      if (plan.axes[a].in == plan.unit && plan.axes[a].n >= 4) contiguous = a;
  if (contiguous < 0)
    return ito_parallel_for(product(plan, plan.rank), kGrain / plan.unit, run_elements, &plan);

  plan.rows = last;
  plan.columns = plan.axes[contiguous];
  plan.rank--;
  for (int a = contiguous; a < plan.rank - 1; a++) plan.axes[a] = plan.axes[a + 1];
  plan.rank--;
  plan.row_blocks = (plan.rows.n + kTile - 1) / kTile;
  plan.column_blocks = (plan.columns.n + kTile - 1) / kTile;
  int64_t tile_bytes = (plan.rows.n < kTile ? plan.rows.n : kTile) *
                       (plan.columns.n < kTile ? plan.columns.n : kTile) * plan.unit;
  int64_t tiles = product(plan, plan.rank) * plan.row_blocks * plan.column_blocks;
  ito_parallel_for(tiles, (kGrain + tile_bytes - 1) / tile_bytes, run_transpose, &plan);
}
