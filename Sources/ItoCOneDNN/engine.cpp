#include "engine.h"

#include <ito_convert.h>

namespace ito {

dnnl::engine& engine() {
  static dnnl::engine* shared = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *shared;
}

dnnl::stream& stream() {
  thread_local dnnl::stream mine(engine());
  return mine;
}

namespace {
// Packed forms of one weight buffer: one for each layout of the library and part asked for, and others by key.
struct Packs {
  ito_attachment header;
  std::mutex mutex;
  struct Form {
    dnnl::memory::desc layout;
    std::string key;
    size_t bytes;
    void* data;
  };
  std::vector<Form> forms;
};

void destroy(ito_attachment* header) {
  Packs* packs = reinterpret_cast<Packs*>(header);
  for (auto& form : packs->forms) ito_free(form.data, form.bytes);
  delete packs;
}
}  // namespace

void reorder(const dnnl::memory::desc& from, const void* source, const dnnl::memory::desc& to, void* target) {
  dnnl::memory a = view(from, source), b = view(to, target);
  dnnl::reorder(a, b).execute(stream(), a, b);
  stream().wait();
}

const void* packed_weights(const Primitive& p, const void* weights, int64_t dtype, void* attached,
                           std::unique_ptr<Scratch>& scratch, const std::string& part) {
  bool is_plain = p.weights == p.plain_weights;
  size_t bytes = p.weights.get_size();
  if (dtype != p.weights_dtype) {
    size_t size = p.plain_weights.get_size();
    auto wide = std::make_unique<Scratch>(widened_size(size));
    ito_convert(weights, int(dtype), wide->data, ITO_F32, int64_t(size / 4));
    if (is_plain) {
      scratch = std::move(wide);
      return scratch->data;
    }
    scratch.reset(new Scratch(widened_size(bytes)));
    reorder(p.plain_weights, wide->data, p.weights, scratch->data);
    return scratch->data;
  }
  if (is_plain) return weights;
  if (!attached) {
    scratch.reset(new Scratch(bytes));
    reorder(p.plain_weights, weights, p.weights, scratch->data);
    return scratch->data;
  }
  Packs* packs = static_cast<Packs*>(attached);
  std::lock_guard<std::mutex> lock(packs->mutex);
  for (auto& form : packs->forms)
    if (form.key == part && form.layout == p.weights) return form.data;
  void* data = ito_alloc(bytes);
  reorder(p.plain_weights, weights, p.weights, data);
  packs->forms.push_back({p.weights, part, bytes, data});
  return data;
}

const void* packed_form(const std::string& key, size_t bytes, const std::function<void(void*)>& make, void* attached,
                        std::unique_ptr<Scratch>& scratch) {
  if (!attached) {
    scratch.reset(new Scratch(bytes));
    make(scratch->data);
    return scratch->data;
  }
  Packs* packs = static_cast<Packs*>(attached);
  std::lock_guard<std::mutex> lock(packs->mutex);
  for (auto& form : packs->forms)
    if (form.key == key) return form.data;
  void* data = ito_alloc(bytes);
  make(data);
  packs->forms.push_back({dnnl::memory::desc(), key, bytes, data});
  return data;
}

void preload(const void* residual, void* out, const dnnl::memory::desc& desc) {
  if (!residual || residual == out) return;
  struct Copy {
    const char* from;
    char* to;
  } copy{static_cast<const char*>(residual), static_cast<char*>(out)};
  ito_parallel_for(
      int64_t(desc.get_size()), 1 << 18,
      [](void* ctx, int64_t begin, int64_t end) {
        const Copy& c = *static_cast<Copy*>(ctx);
        memcpy(c.to + begin, c.from + begin, size_t(end - begin));
      },
      &copy);
}

dnnl::primitive_attr attributes(int64_t activation, bool has_residual) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops ops;
  if (has_residual) ops.append_sum(1.0f);
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0.0f;
  switch (activation) {
    case ITO_UNARY_SILU: algorithm = dnnl::algorithm::eltwise_swish; alpha = 1.0f; break;
    case ITO_UNARY_QUICK_GELU: algorithm = dnnl::algorithm::eltwise_swish; alpha = 1.702f; break;
    case ITO_UNARY_GELU: algorithm = dnnl::algorithm::eltwise_gelu_erf; break;
    case ITO_UNARY_GELU_TANH: algorithm = dnnl::algorithm::eltwise_gelu_tanh; break;
    case ITO_UNARY_RELU: algorithm = dnnl::algorithm::eltwise_relu; break;
    case ITO_UNARY_MISH: algorithm = dnnl::algorithm::eltwise_mish; break;
    default: break;
  }
  if (algorithm != dnnl::algorithm::undef) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(algorithm, alpha, 0.0f);
#else
    ops.append_eltwise(1.0f, algorithm, alpha, 0.0f);
#endif
  }
  if (ops.len() > 0) attr.set_post_ops(ops);
  return attr;
}

}  // namespace ito

extern "C" void* ito_packs_create(void) {
  ito::Packs* packs = new ito::Packs;
  packs->header.destroy = ito::destroy;
  return packs;
}

extern "C" const char* ito_onednn_version(void) {
  static const std::string text = [] {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return text.c_str();
}
