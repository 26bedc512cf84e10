#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "include/onednn_direct.h"

// GNU OpenMP, the pool oneDNN runs on, by its stable entries.
extern "C" void GOMP_parallel(void (*fn)(void*), void* data, unsigned threads, unsigned flags);
extern "C" int omp_get_thread_num(void);
extern "C" int omp_get_num_threads(void);
extern "C" int omp_get_max_threads(void);
extern "C" void omp_set_num_threads(int);

using dnnl::memory;

namespace {

dnnl::engine& engine() {
  static dnnl::engine* shared = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *shared;
}

dnnl::stream& stream() {
  thread_local dnnl::stream mine(engine());
  return mine;
}

struct Release {
  void operator()(void* block) const { free(block); }
};

}  // namespace

struct direct_case {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  std::vector<std::unique_ptr<void, Release>> blocks;

  // Memory of this layout, holding small numbers that never overflow or turn denormal.
  void give(int argument, const memory::desc& layout) {
    size_t bytes = layout.get_size();
    void* block = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (!block) abort();
    blocks.emplace_back(block);
    // 0x3c00 is 2⁻⁷ in bfloat16, 0x3c003c00 a little more in float32.
    uint16_t* words = static_cast<uint16_t*>(block);
    for (size_t i = 0; i < bytes / 2; i++) words[i] = 0x3c00;
    arguments.emplace(argument, memory(layout, engine(), block));
  }
};

namespace {

template <typename Make>
direct_case* guarded(Make make) {
  try {
    return make();
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

memory::data_type type_of(int is_bf16) { return is_bf16 ? memory::data_type::bf16 : memory::data_type::f32; }

template <typename Description>
direct_case* finish(const Description& description, const dnnl::primitive& primitive) {
  auto subject = std::make_unique<direct_case>();
  subject->primitive = primitive;
  subject->give(DNNL_ARG_SRC, description.src_desc());
  subject->give(DNNL_ARG_WEIGHTS, description.weights_desc());
  subject->give(DNNL_ARG_DST, description.dst_desc());
  subject->give(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc());
  return subject.release();
}

direct_case* matmul(int64_t m, int64_t n, int64_t k, memory::data_type type, bool plain) {
  memory::format_tag tag = plain ? memory::format_tag::ab : memory::format_tag::any;
  memory::desc source({m, k}, type, tag), weights({k, n}, type, memory::format_tag::any), result({m, n}, type, tag);
#if DNNL_VERSION_MAJOR >= 3
  dnnl::matmul::primitive_desc description(engine(), source, weights, result, attributes());
#else
  dnnl::matmul::primitive_desc description({source, weights, result}, attributes(), engine());
#endif
  return finish(description, dnnl::matmul(description));
}

direct_case* inner_product(int64_t m, int64_t n, int64_t k, memory::data_type type, bool plain) {
  memory::format_tag tag = plain ? memory::format_tag::ab : memory::format_tag::any;
  memory::desc source({m, k}, type, tag), weights({n, k}, type, memory::format_tag::any), result({m, n}, type, tag);
  auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  dnnl::inner_product_forward::primitive_desc description(engine(), kind, source, weights, result, attributes());
#else
  dnnl::inner_product_forward::primitive_desc description({kind, source, weights, result}, attributes(), engine());
#endif
  return finish(description, dnnl::inner_product_forward(description));
}

direct_case* convolution(const memory::dims& source_size, const memory::dims& weights_size,
                         const memory::dims& result_size, int64_t stride, int64_t padding, memory::data_type type,
                         bool plain) {
  memory::format_tag tag = plain ? memory::format_tag::nhwc : memory::format_tag::any;
  memory::desc source(source_size, type, tag), weights(weights_size, type, memory::format_tag::any),
      result(result_size, type, tag);
  memory::dims strides{stride, stride}, pads{padding, padding};
  auto kind = dnnl::prop_kind::forward_inference;
  auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  dnnl::convolution_forward::primitive_desc description(engine(), kind, algorithm, source, weights, result, strides,
                                                        pads, pads, attributes());
#else
  dnnl::convolution_forward::primitive_desc description(
      {kind, algorithm, source, weights, result, strides, pads, pads}, attributes(), engine());
#endif
  return finish(description, dnnl::convolution_forward(description));
}

struct Copy {
  char* to;
  const char* from;
  int64_t bytes;
};

void copy_share(void* data) {
  const Copy& copy = *static_cast<Copy*>(data);
  int64_t n = omp_get_num_threads(), i = omp_get_thread_num();
  int64_t begin = copy.bytes * i / n, end = copy.bytes * (i + 1) / n;
  memcpy(copy.to + begin, copy.from + begin, end - begin);
}

const char* const gemm_names[] = {"matmul", "matmul, own layout", "inner product", "inner product, own layout"};
const char* const conv_names[] = {"NHWC", "own layout"};

}  // namespace

extern "C" {

int direct_gemm_variants(void) { return 4; }
int direct_conv_variants(void) { return 2; }
const char* direct_gemm_variant(int variant) { return gemm_names[variant]; }
const char* direct_conv_variant(int variant) { return conv_names[variant]; }

direct_case* direct_gemm(int64_t m, int64_t n, int64_t k, int is_bf16, int variant) {
  return guarded([&] {
    bool plain = variant % 2 == 0;
    return variant < 2 ? matmul(m, n, k, type_of(is_bf16), plain) : inner_product(m, n, k, type_of(is_bf16), plain);
  });
}

direct_case* direct_conv(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t out_channels,
                         int64_t kernel, int64_t stride, int is_bf16, int variant) {
  return guarded([&] {
    int64_t padding = kernel / 2;
    int64_t rows = (height + 2 * padding - kernel) / stride + 1, columns = (width + 2 * padding - kernel) / stride + 1;
    return convolution({batch, channels, height, width}, {out_channels, channels, kernel, kernel},
                       {batch, out_channels, rows, columns}, stride, padding, type_of(is_bf16), variant == 0);
  });
}

void direct_run(direct_case* subject) {
  subject->primitive.execute(stream(), subject->arguments);
  stream().wait();
}

void direct_destroy(direct_case* subject) { delete subject; }

void direct_set_threads(int count) { omp_set_num_threads(count); }

double direct_copy(int64_t bytes, int repeats) {
  size_t size = (bytes + 63) / 64 * 64;
  std::unique_ptr<void, Release> from(aligned_alloc(64, size)), to(aligned_alloc(64, size));
  if (!from || !to) abort();
  memset(from.get(), 1, size);
  memset(to.get(), 2, size);
  Copy copy{static_cast<char*>(to.get()), static_cast<const char*>(from.get()), bytes};
  double best = 1e30;
  for (int i = 0; i < repeats; i++) {
    auto start = std::chrono::steady_clock::now();
    GOMP_parallel(copy_share, &copy, omp_get_max_threads(), 0);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (seconds.count() < best) best = seconds.count();
  }
  return best;
}

}  // extern "C"
