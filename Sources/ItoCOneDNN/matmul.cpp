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

// Rows up to which widening a matrix in half precision for every call, and laying it out for oneDNN, takes more than
// what oneDNN's product gains over ours (Docs/measurements.md).
constexpr int64_t kFewRows = 512;

// Whether our own product is quicker. It is where a matrix is in half precision and meets few rows, and where an
// operand is read across rows that lie a multiple of 4 KB apart, which fall into the same sets of the caches: oneDNN's
// float32 product then has half its rate, ours has not (Docs/measurements.md).
bool is_ours(const ito_matmul_desc& d) {
  if (d.dtype != ITO_F32 || d.out_dtype != ITO_F32 || d.k == 0) return false;
  if (d.b_dtype != ITO_F32) return d.m <= kFewRows && d.batch <= 1;
  bool apart = (d.a_transposed && d.m % 1024 == 0) || (!d.b_transposed && d.n % 1024 == 0);
  return !d.packs_b && apart && d.m * d.n * d.k >= 1 << 20;
}

}  // namespace

extern "C" int ito_matmul(const ito_matmul_desc* desc, const void* a, const void* b, const float* bias,
                          const void* residual, void* out, void* packed_b) {
  if (is_ours(*desc)) {
    // What follows our own product is an operation of the caller.
    if (desc->has_residual || desc->activation != ITO_UNARY_NONE) return 1;
    ito_product_desc product{desc->m, desc->n, desc->k, desc->a_transposed, desc->b_transposed, desc->b_dtype};
    for (int64_t i = 0; i < (desc->batch > 1 ? desc->batch : 1); i++)
      // Several matrices are float32.
      ito_product(&product, static_cast<const float*>(a) + i * desc->m * desc->k,
                  static_cast<const float*>(b) + i * desc->k * desc->n, bias,
                  static_cast<float*>(out) + i * desc->m * desc->n);
    return 0;
  }
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
