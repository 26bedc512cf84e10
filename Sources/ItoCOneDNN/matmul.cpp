#include <ito_convert.h>
#include <ito_product.h>
#include <ito_strassen.h>
#include <ito_unary.h>

#include "engine.h"

using dnnl::memory;

namespace {

// Elements of b from a stored row to the next.
int64_t b_stride(const ito_matmul_desc& d) { return d.b_depth ? d.b_depth : d.b_transposed ? d.k : d.n; }

std::shared_ptr<const ito::Primitive> make_matmul(const ito_matmul_desc& d) {
  memory::data_type in = ito::type_of(d.dtype), out = ito::type_of(d.out_dtype);
  bool batched = d.batch > 1;
  auto matrix = [&](int64_t rows, int64_t columns, bool transposed, memory::data_type type) {
    memory::dims dims{rows, columns}, strides = transposed ? memory::dims{1, rows} : memory::dims{columns, 1};
    if (batched) {
      dims.insert(dims.begin(), d.batch);
      strides.insert(strides.begin(), rows * columns);
    }
    return memory::desc(dims, type, strides);
  };
  auto p = std::make_shared<ito::Primitive>();
  p->source = matrix(d.m, d.k, d.a_transposed, in);
  p->plain_weights = d.b_depth ? memory::desc({d.k, d.n}, in, memory::dims{1, d.b_depth})
                               : matrix(d.k, d.n, d.b_transposed, in);
  p->weights_dtype = d.dtype;
  p->destination = matrix(d.m, d.n, false, out);
  memory::desc weights = p->plain_weights;
  if (d.packs_b) {
    memory::dims dims{d.k, d.n};
    if (batched) dims.insert(dims.begin(), d.batch);
    weights = memory::desc(dims, in, memory::format_tag::any);
  }
  memory::dims bias_dims{1, d.n}, bias_strides{d.n, 1};
  if (batched) {
    bias_dims.insert(bias_dims.begin(), 1);
    bias_strides.insert(bias_strides.begin(), d.n);
  }
  if (d.has_bias) p->bias = memory::desc(bias_dims, memory::data_type::f32, bias_strides);
  dnnl::primitive_attr attr = ito::attributes(d.activation, d.has_residual != 0);
#if DNNL_VERSION_MAJOR >= 3
  dnnl::matmul::primitive_desc pd =
      d.has_bias ? dnnl::matmul::primitive_desc(ito::engine(), p->source, weights, p->bias, p->destination, attr)
                 : dnnl::matmul::primitive_desc(ito::engine(), p->source, weights, p->destination, attr);
#else
  dnnl::matmul::desc md = d.has_bias ? dnnl::matmul::desc(p->source, weights, p->bias, p->destination)
                                     : dnnl::matmul::desc(p->source, weights, p->destination);
  dnnl::matmul::primitive_desc pd(md, attr, ito::engine());
#endif
  p->weights = pd.weights_desc();
  p->scratchpad = pd.scratchpad_desc();
  p->primitive = dnnl::matmul(pd);
  return p;
}

// The same as a convolution of m pixels by kernels of one: oneDNN's convolutions read pixels where they are.
std::shared_ptr<const ito::Primitive> make_convolution(const ito_matmul_desc& d) {
  const memory::data_type f32 = memory::data_type::f32;
  auto pixels = [&](int64_t channels) { return memory::desc({1, channels, 1, d.m}, f32, memory::format_tag::nhwc); };
  const memory::dims kernel{d.n, d.k, 1, 1}, ones{1, 1}, zeros{0, 0};
  const int64_t row = b_stride(d), size = d.b_transposed ? d.n * row : d.k * row;
  auto p = std::make_shared<ito::Primitive>();
  p->source = pixels(d.k);
  p->destination = pixels(d.n);
  p->plain_weights = memory::desc(
      kernel, f32, d.b_transposed ? memory::dims{row, 1, size, size} : memory::dims{1, row, size, size});
  if (d.has_bias) p->bias = memory::desc({d.n}, f32, memory::format_tag::x);
  const memory::desc weights(kernel, f32, memory::format_tag::any);
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto direct = dnnl::algorithm::convolution_direct;
  dnnl::primitive_attr attr = ito::attributes(d.activation, d.has_residual != 0);
#if DNNL_VERSION_MAJOR >= 3
  dnnl::convolution_forward::primitive_desc pd(ito::engine(), kind, direct, p->source, weights, p->bias, p->destination,
                                               ones, zeros, zeros, zeros, attr);
#else
  dnnl::convolution_forward::desc cd(kind, direct, p->source, weights, p->bias, p->destination, ones, zeros, zeros,
                                     zeros);
  dnnl::convolution_forward::primitive_desc pd(cd, attr, ito::engine());
#endif
  p->weights = pd.weights_desc();
  p->scratchpad = pd.scratchpad_desc();
  p->primitive = dnnl::convolution_forward(pd);
  return p;
}

enum class Way { matmul, convolution, product, strassen };

// As the kernels written here take it; b unpacked.
ito_product_desc product_of(const ito_matmul_desc& d) {
  return {d.m, d.n, d.k, d.a_transposed, d.b_transposed, d.dtype, d.out_dtype, d.b_dtype, b_stride(d), 0};
}

// Rows from which laying a matrix out for oneDNN in every call, and widening it where it is in half precision, takes less
// than what oneDNN's convolution gains over the other ways, with AVX2.
constexpr int64_t kFewRows = 512;

// The quickest way; every rule is measured (Docs/measurements.md). A matrix is multiplied in the same way, with the same
// bits, whether its packed form is kept or not.
Way way_of(const ito_matmul_desc& d) {
  if (d.k == 0) return Way::matmul;
  const ito_product_desc product = product_of(d);
  if (d.packs_b && d.batch <= 1 && ito_strassen_pays(&product, d.sample_rows)) return Way::strassen;
  if (d.dtype == ITO_BF16)
    return ito_bf16_pairs_pay() || d.b_dtype != ITO_BF16 ? Way::matmul : Way::product;
  if (d.out_dtype != ITO_F32) return Way::matmul;
  const bool is_avx512 = ito_isa() >= ITO_ISA_AVX512;
  if (d.b_dtype != ITO_F32 && d.batch <= 1 && (is_avx512 || d.m < kFewRows)) return Way::product;
  const bool convolves = is_avx512 ? d.k <= 256 && d.m >= 160 : ito_isa() == ITO_ISA_AVX2;
  if (convolves && d.batch <= 1 && d.n >= 8 && !d.a_transposed && (d.packs_b || d.m >= kFewRows)) return Way::convolution;
  // An operand read across rows that lie a multiple of 4 KB apart, which fall into the same sets of the caches: oneDNN's
  // float32 product then has half its rate, ours has not.
  bool apart = (d.a_transposed && d.m % 1024 == 0) || (!d.b_transposed && d.n % 1024 == 0);
  return apart && !d.packs_b && d.m * d.n * d.k >= 1 << 20 ? Way::product : Way::matmul;
}

// What tells a packed form of a part of b from others.
std::string form_of(const ito_matmul_desc& d) {
  const std::string part = d.b_depth ? " columns from " + std::to_string(d.b_first) : "";
  return " " + std::to_string(d.n) + " by " + std::to_string(d.k) + part;
}

void multiply(const ito_matmul_desc& d, const void* a, const void* b, const float* bias, const void* residual, void* out,
              void* packs) {
  ito_product_desc product = product_of(d);
  std::unique_ptr<ito::Scratch> none;
  if (packs && d.batch <= 1) {
    b = ito::packed_form((d.b_transposed ? "product" : "product transposed") + form_of(d), ito_product_packed_bytes(&product),
                         [&](void* to) { ito_product_pack(&product, b, to); }, packs, none);
    product.b_packed = 1;
  }
  const int64_t a_element = d.dtype == ITO_F32 ? 4 : 2, b_element = d.b_dtype == ITO_F32 ? 4 : 2;
  const int64_t element = d.out_dtype == ITO_F32 ? 4 : 2;
  auto at = [](const void* p, int64_t bytes) { return static_cast<const char*>(p) + bytes; };
  for (int64_t i = 0; i < (d.batch > 1 ? d.batch : 1); i++) {
    ito_product_epilogue epilogue{bias, residual ? at(residual, i * d.m * d.n * element) : nullptr, d.activation};
    ito_product(&product, at(a, i * d.m * d.k * a_element), at(b, i * d.k * d.n * b_element), &epilogue,
                static_cast<char*>(out) + i * d.m * d.n * element);
  }
}

void multiply_strassen(const ito_matmul_desc& d, const void* a, const void* b, const float* bias, const void* residual,
                       void* out, void* packs) {
  const ito_product_desc product = product_of(d);
  const ito_product_epilogue epilogue{bias, residual, d.activation};
  const std::string key = "strassen " + std::to_string(ito_strassen_depth(&product)) + form_of(d);
  std::unique_ptr<ito::Scratch> packed;
  b = ito::packed_form(key, ito_strassen_packed_bytes(&product), [&](void* to) { ito_strassen_pack(&product, b, to); }, packs,
                       packed);
  ito_strassen(&product, a, b, &epilogue, out);
}

// oneDNN's GELU takes twice the time of a pass of ours over the result (0.49 and 0.25 ms for 256 by 4608 in bfloat16). The
// sum is then rounded before it, as it is by PyTorch; in float32 the pass would read and write twice as much.
bool activates_apart(const ito_matmul_desc& d) {
  const bool is_gelu = d.activation == ITO_UNARY_GELU || d.activation == ITO_UNARY_GELU_TANH;
  return is_gelu && d.out_dtype == ITO_BF16 && way_of(d) == Way::matmul;
}

// Columns [b_first, b_first + k) of b, widened.
struct WidenedPart {
  const ito_matmul_desc& d;
  const char* b;
  float* to;

  void rows(int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; row++)
      ito_convert(b + row * d.b_depth * 2, int(d.b_dtype), to + row * d.k, ITO_F32, d.k);
  }
};

}  // namespace

extern "C" int ito_matmul(const ito_matmul_desc* desc, const void* a, const void* b, const float* bias,
                          const void* residual, void* out, void* packed_b) {
  if (activates_apart(*desc)) {
    ito_matmul_desc sum = *desc;
    sum.activation = ITO_UNARY_NONE;
    const int64_t count = (desc->batch > 1 ? desc->batch : 1) * desc->m * desc->n;
    const int status = ito_matmul(&sum, a, b, bias, residual, out, packed_b);
    if (status == 0) ito_unary(int(desc->activation), out, out, ITO_BF16, count, 0, 0);
    return status;
  }
  const Way way = way_of(*desc);
  b = static_cast<const char*>(b) + desc->b_first * (desc->b_dtype == ITO_F32 ? 4 : 2);
  if (way == Way::strassen) {
    return ito::guarded([&] {
      multiply_strassen(*desc, a, b, bias, residual, out, packed_b);
      return 0;
    });
  }
  if (way != Way::product && desc->b_dtype != desc->dtype && !desc->keeps_wide) packed_b = nullptr;
  if (way != Way::product && desc->b_depth && desc->b_dtype != desc->dtype) {
    ito::Scratch wide(ito::widened_size(size_t(desc->n * desc->k) * 4));
    WidenedPart part{*desc, static_cast<const char*>(b), static_cast<float*>(wide.data)};
    ito_parallel_for(
        desc->n, 1 + (1 << 16) / desc->k,
        [](void* ctx, int64_t begin, int64_t end) { static_cast<const WidenedPart*>(ctx)->rows(begin, end); }, &part);
    ito_matmul_desc dense = *desc;
    dense.b_dtype = dense.dtype;
    dense.b_depth = dense.b_first = 0;
    return ito_matmul(&dense, a, wide.data, bias, residual, out, nullptr);
  }
  if (way == Way::product) {
    return ito::guarded([&] {
      multiply(*desc, a, b, bias, residual, out, desc->packs_b ? packed_b : nullptr);
      return 0;
    });
  }
  return ito::guarded([&] {
    ito_bind_threads();
    const bool convolves = way == Way::convolution;
    auto p = ito::cached(ito::cache_key(convolves ? 'l' : 'm', *desc),
                         [&] { return convolves ? make_convolution(*desc) : make_matmul(*desc); });
    if (!p) return 1;
    std::unique_ptr<ito::Scratch> packed;
    const std::string part = desc->b_depth ? "columns from " + std::to_string(desc->b_first) : "";
    const void* weights = ito::packed_weights(*p, b, desc->b_dtype, packed_b, packed, part);
    ito::Scratch scratch(p->scratchpad.get_size());
    ito::preload(residual, out, p->destination);
    std::unordered_map<int, memory> args{{DNNL_ARG_SRC, ito::view(p->source, a)},
                                         {DNNL_ARG_WEIGHTS, ito::view(p->weights, weights)},
                                         {DNNL_ARG_DST, ito::view(p->destination, out)},
                                         {DNNL_ARG_SCRATCHPAD, ito::view(p->scratchpad, scratch.data)}};
    if (bias) args.emplace(DNNL_ARG_BIAS, ito::view(p->bias, bias));
    p->primitive.execute(ito::stream(), args);
    ito::stream().wait();
    return 0;
  });
}
