#include <ito_product.h>

#include "engine.h"

using dnnl::memory;

namespace {

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
  p->plain_weights = matrix(d.k, d.n, d.b_transposed, in);
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

// Rows up to which laying a matrix out for oneDNN in every call (and widening it, where it is in half precision) takes
// more than what oneDNN's product gains over ours.
constexpr int64_t kFewRows = 512;

// Whether our own product is quicker for a linear layer in float32 with AVX2; with AVX-512 that was not measured.
// oneDNN 2.6's product of a packed matrix has much less than its usual rate for two to eight rows, and for up to 256
// where the result's rows lie a multiple of 2 KB apart. A matrix that is not kept packed is packed in passing by ours.
bool is_our_layer(const ito_matmul_desc& d, bool keeps_packed) {
  if (ito_isa() != ITO_ISA_AVX2 || d.batch > 1) return false;
  const bool apart = d.n % 512 == 0;
  if (keeps_packed) return d.m > 1 && (d.m <= 8 || (d.m <= 256 && apart));
  return d.m <= (apart ? 256 : kFewRows);
}

// Whether our own product is quicker; every rule is measured (Docs/measurements.md).
bool is_ours(const ito_matmul_desc& d, bool keeps_packed) {
  if (d.dtype != ITO_F32 || d.out_dtype != ITO_F32 || d.k == 0) return false;
  if (d.b_dtype != ITO_F32) return d.m <= kFewRows && d.batch <= 1;
  if (d.packs_b) return is_our_layer(d, keeps_packed);
  // An operand read across rows that lie a multiple of 4 KB apart, which fall into the same sets of the caches: oneDNN's
  // float32 product then has half its rate, ours has not.
  bool apart = (d.a_transposed && d.m % 1024 == 0) || (!d.b_transposed && d.n % 1024 == 0);
  return apart && d.m * d.n * d.k >= 1 << 20;
}

int multiply(const ito_matmul_desc& d, const float* a, const void* b, const float* bias, const float* residual,
             float* out, void* packs) {
  ito_product_desc product{d.m, d.n, d.k, d.a_transposed, d.b_transposed, d.b_dtype};
  std::unique_ptr<ito::Scratch> none;
  const void* packed =
      packs ? ito::packed_form(
                  d.b_transposed ? "panels of rows" : "panels of columns",
                  size_t(ito_product_packed_count(&product)) * 4,
                  [&](void* to) { ito_product_pack(&product, b, static_cast<float*>(to)); }, packs, none)
            : nullptr;
  for (int64_t i = 0; i < (d.batch > 1 ? d.batch : 1); i++) {
    ito_product_epilogue epilogue{bias, residual ? residual + i * d.m * d.n : nullptr, d.activation};
    // Several matrices are float32 and not packed.
    ito_product(&product, a + i * d.m * d.k, i == 0 ? b : static_cast<const float*>(b) + i * d.k * d.n,
                static_cast<const float*>(packed), &epilogue, out + i * d.m * d.n);
  }
  return 0;
}

}  // namespace

extern "C" int ito_matmul(const ito_matmul_desc* desc, const void* a, const void* b, const float* bias,
                          const void* residual, void* out, void* packed_b) {
  if (is_ours(*desc, packed_b != nullptr))
    return multiply(*desc, static_cast<const float*>(a), b, bias, static_cast<const float*>(residual),
                    static_cast<float*>(out), packed_b);
  return ito::guarded([&] {
    ito_bind_threads();
    auto p = ito::cached(ito::cache_key('m', *desc), [&] { return make_matmul(*desc); });
    if (!p) return 1;
    std::unique_ptr<ito::Scratch> packed;
    const void* weights = ito::packed_weights(*p, b, desc->b_dtype, packed_b, packed);
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
