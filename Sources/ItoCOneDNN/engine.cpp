#include "engine.h"

#include <ito_convert.h>

#include "pack_store.h"

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
// Packed forms of one weight buffer: one for each layout of the library and part asked for, and others by key; in memory,
// or in a store on disk.
struct Packs {
  ito_attachment header;
  std::mutex mutex;
  ito_pack_store* store = nullptr;
  std::string weights;  // how the store calls them
  struct Form {
    dnnl::memory::desc layout;
    std::string key;
    const void* data;
    void* owned;  // the block of `bytes` that is `data`, or null for one of the store
    size_t bytes;
  };
  std::vector<Form> forms;
};

void destroy(ito_attachment* header) {
  Packs* packs = reinterpret_cast<Packs*>(header);
  for (auto& form : packs->forms) ito_free(form.owned, form.bytes);
  delete packs;
}

// What tells a layout from all others, for a store; empty where that cannot be said.
std::string description(const dnnl::memory::desc& layout) {
  std::string text;
  auto list = [&text](const auto* numbers, int64_t count) {
    text += " [";
    for (int64_t i = 0; i < count; i++) text += std::to_string(numbers[i]) + ",";
    text += "]";
  };
#if DNNL_VERSION_MAJOR >= 3
  if (layout.get_format_kind() != dnnl::memory::format_kind::blocked) return "";
  text = "type " + std::to_string(int(layout.get_data_type())) + " at " + std::to_string(layout.get_submemory_offset());
  for (const dnnl::memory::dims& numbers :
       {layout.get_dims(), layout.get_padded_dims(), layout.get_padded_offsets(), layout.get_strides(),
        layout.get_inner_blks(), layout.get_inner_idxs()})
    list(numbers.data(), int64_t(numbers.size()));
#else
  const dnnl_memory_desc_t& d = layout.data;
  if (d.format_kind != dnnl_blocked || d.extra.flags != 0) return "";
  const dnnl_blocking_desc_t& blocks = d.format_desc.blocking;
  text = "type " + std::to_string(int(d.data_type)) + " at " + std::to_string(d.offset0);
  for (const dnnl_dim_t* numbers : {d.dims, d.padded_dims, d.padded_offsets, blocks.strides}) list(numbers, d.ndims);
  for (const dnnl_dim_t* numbers : {blocks.inner_blks, blocks.inner_idxs}) list(numbers, blocks.inner_nblks);
#endif
  return text;
}

// The form of that layout and key, which a store calls `name`: from memory or the store, or made by `make`.
const void* kept(Packs& packs, const dnnl::memory::desc& layout, const std::string& key, const std::string& name,
                 size_t bytes, const std::function<void(void*)>& make) {
  std::lock_guard<std::mutex> lock(packs.mutex);
  for (auto& form : packs.forms)
    if (form.key == key && (layout.is_zero() || form.layout == layout)) return form.data;
  const bool stores = packs.store && !name.empty();
  const std::string full = packs.weights + " " + name;
  const void* data = stores ? packs.store->find(full, bytes) : nullptr;
  void* made = nullptr;
  if (!data) {
    made = ito_alloc(bytes);
    make(made);
    data = stores ? packs.store->add(full, made, bytes) : nullptr;
    if (data) {
      ito_free(made, bytes);
      made = nullptr;
    }
  }
  packs.forms.push_back({layout, key, made ? made : data, made, bytes});
  return packs.forms.back().data;
}

// `weights` stored as `dtype`, widened, to a buffer that is as large as the plain ones at least.
void widen(const Primitive& p, const void* weights, int64_t dtype, void* wide) {
  ito_convert(weights, int(dtype), wide, ITO_F32, int64_t(p.plain_weights.get_size() / 4));
}
}  // namespace

void reorder(const dnnl::memory::desc& from, const void* source, const dnnl::memory::desc& to, void* target) {
  dnnl::memory a = view(from, source), b = view(to, target);
  dnnl::reorder(a, b).execute(stream(), a, b);
  stream().wait();
}

const void* packed_weights(const Primitive& p, const void* weights, int64_t dtype, void* attached,
                           std::unique_ptr<Scratch>& scratch, const std::string& part) {
  const bool is_plain = p.weights == p.plain_weights, widens = dtype != p.weights_dtype;
  const size_t bytes = p.weights.get_size();
  Packs* packs = static_cast<Packs*>(attached);
  if (is_plain && !widens) return weights;
  auto make = [&](void* to) {
    if (!widens) return reorder(p.plain_weights, weights, p.weights, to);
    if (is_plain) return widen(p, weights, dtype, to);
    Scratch wide(widened_size(p.plain_weights.get_size()));
    widen(p, weights, dtype, wide.data);
    reorder(p.plain_weights, wide.data, p.weights, to);
  };
  if (packs) {
    std::string name = description(p.weights);
    if (!name.empty()) name = "layout " + part + " " + name;
    return kept(*packs, p.weights, part, name, bytes, make);
  }
  scratch.reset(new Scratch(widens ? widened_size(bytes) : bytes));
  make(scratch->data);
  return scratch->data;
}

const void* packed_form(const std::string& key, size_t bytes, const std::function<void(void*)>& make, void* attached,
                        std::unique_ptr<Scratch>& scratch) {
  if (attached) return kept(*static_cast<Packs*>(attached), dnnl::memory::desc(), key, key, bytes, make);
  scratch.reset(new Scratch(bytes));
  make(scratch->data);
  return scratch->data;
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

extern "C" void* ito_packs_create_in(ito_pack_store* store, int64_t offset, int64_t bytes) {
  ito::Packs* packs = static_cast<ito::Packs*>(ito_packs_create());
  packs->store = store;
  packs->weights = ito_pack_store::weights(offset, bytes);
  return packs;
}

extern "C" const char* ito_onednn_version(void) {
  static const std::string text = [] {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return text.c_str();
}
