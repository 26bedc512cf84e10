#include <ito_winograd.h>

#include "engine.h"
#include "convolution_product.h"

using dnnl::memory;

namespace {

struct Geometry {
  memory::dims source, weights, destination, strides, dilates, pad_before, pad_after;
  memory::desc plain_weights(memory::data_type type) const { return memory::desc(weights, type, weight_strides); }
  memory::desc any_weights(memory::data_type type) const {
    return memory::desc(weights, type, memory::format_tag::any);
  }
  memory::dims weight_strides;
};

// `published`: the weights are [out, in / groups, kh, kw], as files have them.
Geometry geometry(const ito_conv_desc& d, bool published = false) {
  Geometry g;
  g.source = {d.batch, d.channels, d.height, d.width};
  g.destination = {d.batch, d.out_channels, d.out_height, d.out_width};
  g.strides = {d.stride_height, d.stride_width};
  g.dilates = {d.dilation_height - 1, d.dilation_width - 1};
  g.pad_before = {d.pad_top, d.pad_left};
  g.pad_after = {d.pad_bottom, d.pad_right};
  // Logical order is [groups,] out, in, kh, kw; the buffer is [out, kh, kw, in / groups] unless published.
  int64_t in = d.channels / d.groups, out = d.out_channels / d.groups;
  int64_t taps = d.kernel_height * d.kernel_width, filter = taps * in;
  int64_t channel = published ? taps : 1, tap = published ? 1 : in, row = d.kernel_width * tap;
  g.weights = {out, in, d.kernel_height, d.kernel_width};
  g.weight_strides = {filter, channel, row, tap};
  if (d.groups > 1) {
    g.weights.insert(g.weights.begin(), d.groups);
    g.weight_strides.insert(g.weight_strides.begin(), out * filter);
  }
  return g;
}

memory::desc nhwc(const memory::dims& dims, memory::data_type type) {
  return memory::desc(dims, type, memory::format_tag::nhwc);
}

dnnl::convolution_forward::primitive_desc forward_pd(const ito_conv_desc& d, const Geometry& g, memory::desc source,
                                                     memory::desc destination, bool with_bias,
                                                     const dnnl::primitive_attr& attr, bool training) {
  auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  memory::desc weights = g.any_weights(ito::type_of(d.dtype));
  memory::desc bias = with_bias ? memory::desc({d.out_channels}, memory::data_type::f32, memory::format_tag::x)
                                : memory::desc();
  auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::convolution_forward::primitive_desc(ito::engine(), kind, algorithm, source, weights, bias, destination,
                                                   g.strides, g.dilates, g.pad_before, g.pad_after, attr);
#else
  dnnl::convolution_forward::desc desc(kind, algorithm, source, weights, bias, destination, g.strides, g.dilates,
                                       g.pad_before, g.pad_after);
  return dnnl::convolution_forward::primitive_desc(desc, attr, ito::engine());
#endif
}

std::shared_ptr<const ito::Primitive> make_forward(const ito_conv_desc& d, bool published = false) {
  Geometry g = geometry(d, published);
  memory::data_type in = ito::type_of(d.dtype);
  auto p = std::make_shared<ito::Primitive>();
  p->source = nhwc(g.source, in);
  p->destination = nhwc(g.destination, ito::type_of(d.out_dtype));
  p->plain_weights = g.plain_weights(in);
  p->weights_dtype = d.dtype;
  auto pd = forward_pd(d, g, p->source, p->destination, d.has_bias != 0,
                       ito::attributes(d.activation, d.has_residual != 0), false);
  p->weights = pd.weights_desc();
  p->bias = pd.bias_desc();
  p->scratchpad = pd.scratchpad_desc();
  p->primitive = dnnl::convolution_forward(pd);
  return p;
}

std::shared_ptr<const ito::Primitive> make_backward_data(const ito_conv_desc& d) {
  Geometry g = geometry(d);
  memory::data_type in = ito::type_of(d.dtype);
  auto p = std::make_shared<ito::Primitive>();
  p->source = nhwc(g.source, ito::type_of(d.out_dtype));
  p->destination = nhwc(g.destination, in);
  p->plain_weights = g.plain_weights(in);
  p->weights_dtype = d.dtype;
  dnnl::primitive_attr attr = ito::attributes(ITO_UNARY_NONE, false);
  auto hint = forward_pd(d, g, nhwc(g.source, in), p->destination, false, attr, true);
#if DNNL_VERSION_MAJOR >= 3
  dnnl::convolution_backward_data::primitive_desc pd(
      ito::engine(), dnnl::algorithm::convolution_direct, p->source, g.any_weights(in), p->destination, g.strides,
      g.dilates, g.pad_before, g.pad_after, hint, attr);
#else
  dnnl::convolution_backward_data::desc desc(dnnl::algorithm::convolution_direct, p->source, g.any_weights(in),
                                             p->destination, g.strides, g.dilates, g.pad_before, g.pad_after);
  dnnl::convolution_backward_data::primitive_desc pd(desc, attr, ito::engine(), hint);
#endif
  p->weights = pd.weights_desc();
  p->scratchpad = pd.scratchpad_desc();
  p->primitive = dnnl::convolution_backward_data(pd);
  return p;
}

std::shared_ptr<const ito::Primitive> make_backward_weights(const ito_conv_desc& d) {
  Geometry g = geometry(d);
  memory::data_type in = ito::type_of(d.dtype), f32 = memory::data_type::f32;
  auto p = std::make_shared<ito::Primitive>();
  p->source = nhwc(g.source, in);
  p->destination = nhwc(g.destination, in);
  p->plain_weights = g.plain_weights(f32);
  dnnl::primitive_attr attr = ito::attributes(ITO_UNARY_NONE, false);
  auto hint = forward_pd(d, g, p->source, p->destination, d.has_bias != 0, attr, true);
  memory::desc bias = d.has_bias ? memory::desc({d.out_channels}, f32, memory::format_tag::x) : memory::desc();
#if DNNL_VERSION_MAJOR >= 3
  dnnl::convolution_backward_weights::primitive_desc pd(
      ito::engine(), dnnl::algorithm::convolution_direct, p->source, g.any_weights(f32), bias, p->destination,
      g.strides, g.dilates, g.pad_before, g.pad_after, hint, attr);
#else
  dnnl::convolution_backward_weights::desc desc(dnnl::algorithm::convolution_direct, p->source, g.any_weights(f32),
                                                bias, p->destination, g.strides, g.dilates, g.pad_before, g.pad_after);
  dnnl::convolution_backward_weights::primitive_desc pd(desc, attr, ito::engine(), hint);
#endif
  p->weights = pd.diff_weights_desc();
  p->bias = bias;
  p->scratchpad = pd.scratchpad_desc();
  p->primitive = dnnl::convolution_backward_weights(pd);
  return p;
}

// Runs a forward primitive, its weights packed in `packs` or for this call.
int execute_forward(const ito::Primitive& p, const void* input, const void* weights, int64_t dtype,
                    const float* bias, const void* residual, void* output, void* packs) {
  std::unique_ptr<ito::Scratch> packed;
  const void* ready = ito::packed_weights(p, weights, dtype, packs, packed);
  ito::Scratch scratch(p.scratchpad.get_size());
  ito::preload(residual, output, p.destination);
  std::unordered_map<int, memory> args{{DNNL_ARG_SRC, ito::view(p.source, input)},
                                       {DNNL_ARG_WEIGHTS, ito::view(p.weights, ready)},
                                       {DNNL_ARG_DST, ito::view(p.destination, output)},
                                       {DNNL_ARG_SCRATCHPAD, ito::view(p.scratchpad, scratch.data)}};
  if (bias) args.emplace(DNNL_ARG_BIAS, ito::view(p.bias, bias));
  p.primitive.execute(ito::stream(), args);
  ito::stream().wait();
  return 0;
}

// The same convolution by minimal filtering, where that is quicker; `tile` 0 where it is not. `adjoint`
// describes the input gradient, a convolution of the output gradient by the turned kernels.
ito_winograd_desc winograd(const ito_conv_desc& d, bool adjoint) {
  bool strides = d.stride_height == d.stride_width && (d.stride_height == 1 || (d.stride_height == 2 && !adjoint));
  bool fits = d.kernel_height == 3 && d.kernel_width == 3 && strides && d.dilation_height == 1 &&
              d.dilation_width == 1 && d.groups == 1 && d.dtype == d.out_dtype &&
              d.pad_top <= 2 && d.pad_left <= 2;
  ito_winograd_desc w{d.batch,     d.height,       d.width,   d.channels, d.out_height,
                      d.out_width, d.out_channels, d.pad_top, d.pad_left, 0,         d.stride_height,
                      d.doubles,    d.allows_large, d.dtype,  d.weights_dtype};
  if (adjoint)
    w = {d.batch,    d.out_height,  d.out_width,    d.out_channels, d.height, d.width,
         d.channels, 2 - d.pad_top, 2 - d.pad_left, 0,              1,        0,
         0,          d.dtype,        d.weights_dtype};
  if (fits) w.tile = ito_winograd_choice(&w);
  return w;
}

// `order` is that of `kernel`, as `ito_winograd_pack` has it.
int run_winograd(const ito_winograd_desc& w, int order, const void* x, const void* kernel,
                 const ito_winograd_epilogue& epilogue, void* out, void* packs) {
  if (!packs) {
    ito_winograd_packing(&w, x, kernel, order, &epilogue, out);
    return 0;
  }
  std::unique_ptr<ito::Scratch> scratch;
  const void* packed = ito::packed_form(
      "winograd " + std::to_string(order), ito_winograd_packed_bytes(&w),
      [&](void* to) { ito_winograd_pack(&w, kernel, order, to); }, packs, scratch);
  ito_winograd(&w, x, packed, &epilogue, out);
  return 0;
}

int forward(const ito_conv_desc& d, bool published, const void* input, const void* weights, const float* bias,
            const void* residual, void* output, void* packs) {
  return ito::guarded([&] {
    ito_winograd_desc w = winograd(d, false);
    if (w.tile)
      return run_winograd(w, published ? ITO_KERNEL_PUBLISHED : ITO_KERNEL_CHANNELS_LAST, input, weights,
                          {bias, residual, d.activation}, output, packs);
    if (d.doubles) return 1;
    if (ito::is_product(d)) {
      ito::convolve_as_product(d, published, input, weights, bias, residual, output, packs);
      return 0;
    }
    if (d.weights_dtype != d.dtype && !d.keeps_wide) packs = nullptr;
    ito_bind_threads();
    auto p = ito::cached(ito::cache_key(published ? 'p' : 'f', d), [&] { return make_forward(d, published); });
    return p ? execute_forward(*p, input, weights, d.weights_dtype, bias, residual, output, packs) : 1;
  });
}

}  // namespace

extern "C" int ito_conv_forward(const ito_conv_desc* desc, const void* input, const void* weights, const float* bias,
                                const void* residual, void* output, void* packs) {
  return forward(*desc, false, input, weights, bias, residual, output, packs);
}

extern "C" int ito_conv_forward_published(const ito_conv_desc* desc, const void* input, const void* weights,
                                          const float* bias, const void* residual, void* output, void* packs) {
  return forward(*desc, true, input, weights, bias, residual, output, packs);
}

extern "C" int ito_conv_backward_data(const ito_conv_desc* desc, const void* output_gradient, const void* weights,
                                      void* input_gradient, void* packs) {
  return ito::guarded([&] {
    ito_winograd_desc w = winograd(*desc, true);
    if (w.tile)
      return run_winograd(w, ITO_KERNEL_ADJOINT, output_gradient, weights, {nullptr, nullptr, ITO_UNARY_NONE},
                          input_gradient, packs);
    ito_bind_threads();
    auto p = ito::cached(ito::cache_key('d', *desc), [&] { return make_backward_data(*desc); });
    if (!p) return 1;
    std::unique_ptr<ito::Scratch> packed;
    const void* ready = ito::packed_weights(*p, weights, desc->weights_dtype, packs, packed);
    ito::Scratch scratch(p->scratchpad.get_size());
    p->primitive.execute(ito::stream(), {{DNNL_ARG_DIFF_DST, ito::view(p->destination, output_gradient)},
                                         {DNNL_ARG_WEIGHTS, ito::view(p->weights, ready)},
                                         {DNNL_ARG_DIFF_SRC, ito::view(p->source, input_gradient)},
                                         {DNNL_ARG_SCRATCHPAD, ito::view(p->scratchpad, scratch.data)}});
    ito::stream().wait();
    return 0;
  });
}

extern "C" int ito_conv_backward_weights(const ito_conv_desc* desc, const void* input, const void* output_gradient,
                                         float* weight_gradient, float* bias_gradient) {
  return ito::guarded([&] {
    ito_bind_threads();
    ito_conv_desc d = *desc;
    d.has_bias = bias_gradient != nullptr;
    auto p = ito::cached(ito::cache_key('w', d), [&] { return make_backward_weights(d); });
    if (!p) return 1;
    bool direct = p->weights == p->plain_weights;
    ito::Scratch blocked(direct ? 0 : p->weights.get_size());
    void* target = direct ? weight_gradient : blocked.data;
    ito::Scratch scratch(p->scratchpad.get_size());
    std::unordered_map<int, memory> args{{DNNL_ARG_SRC, ito::view(p->source, input)},
                                         {DNNL_ARG_DIFF_DST, ito::view(p->destination, output_gradient)},
                                         {DNNL_ARG_DIFF_WEIGHTS, ito::view(p->weights, target)},
                                         {DNNL_ARG_SCRATCHPAD, ito::view(p->scratchpad, scratch.data)}};
    if (bias_gradient) args.emplace(DNNL_ARG_DIFF_BIAS, ito::view(p->bias, bias_gradient));
    p->primitive.execute(ito::stream(), args);
    ito::stream().wait();
    if (!direct) ito::reorder(p->weights, target, p->plain_weights, weight_gradient);
    return 0;
  });
}
