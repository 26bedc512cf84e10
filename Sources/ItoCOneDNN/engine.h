// Shared by the shim's files: the engine, the primitive cache, packed weights.
#pragma once
#include <ito_runtime.h>
#include <ito_unary.h>

#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "include/ito_onednn.h"

namespace ito {

dnnl::engine& engine();
dnnl::stream& stream();

// A primitive and the layouts it wants.
struct Primitive {
  dnnl::primitive primitive;
  dnnl::memory::desc source, weights, bias, destination, scratchpad;
  // The layout the caller's weights (or weight gradient) have.
  dnnl::memory::desc plain_weights;
  // The type it computes with; weights stored in another one are widened.
  int64_t weights_dtype = ITO_F32;
};

// Finds the primitive for `key`, or creates it by `make`. A null result means the library has no
// implementation; that is remembered too.
template <typename Make>
std::shared_ptr<const Primitive> cached(const std::string& key, Make make) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::shared_ptr<const Primitive>>* table =
      new std::unordered_map<std::string, std::shared_ptr<const Primitive>>;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = table->find(key);
    if (found != table->end()) return found->second;
  }
  std::shared_ptr<const Primitive> made;
  try {
    made = make();
  } catch (const dnnl::error&) {
    made = nullptr;
  }
  std::lock_guard<std::mutex> lock(mutex);
  return table->emplace(key, made).first->second;
}

template <typename Desc>
std::string cache_key(char kind, const Desc& desc) {
  int64_t threads = ito_threads();
  std::string key(1, kind);
  key.append(reinterpret_cast<const char*>(&threads), sizeof threads);
  key.append(reinterpret_cast<const char*>(&desc), sizeof desc);
  return key;
}

// A block of the caching allocator for the length of a scope.
struct Scratch {
  size_t bytes;
  void* data;
  explicit Scratch(size_t n) : bytes(n), data(n ? ito_alloc(n) : nullptr) {}
  ~Scratch() {
    if (data) ito_free(data, bytes);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

inline dnnl::memory view(const dnnl::memory::desc& desc, const void* data) {
  return dnnl::memory(desc, engine(), const_cast<void*>(data));
}

// `weights`, stored as `dtype`, in the type and layout the primitive wants: as they are, from `packs` (made there
// on first use), or made in `scratch` for this call. `part` tells forms of parts of the weights apart.
const void* packed_weights(const Primitive& p, const void* weights, int64_t dtype, void* packs,
                           std::unique_ptr<Scratch>& scratch, const std::string& part = "");

// A form of `bytes` that `make` fills, known by `key`: from `packs` (made there on first use), or made in
// `scratch` for this call.
const void* packed_form(const std::string& key, size_t bytes, const std::function<void(void*)>& make, void* packs,
                        std::unique_ptr<Scratch>& scratch);

void reorder(const dnnl::memory::desc& from, const void* source, const dnnl::memory::desc& to, void* target);

// Room for `bytes` of weights widened for one call. Larger ones ask for one of few sizes, so that the allocator
// hands the same block from layer to layer; what is not written of it takes no memory.
inline size_t widened_size(size_t bytes) {
  constexpr size_t kSmall = size_t(4) << 20, kLarge = size_t(64) << 20;
  return bytes <= kSmall ? bytes : bytes <= kLarge ? kLarge : bytes <= 4 * kLarge ? 4 * kLarge : bytes;
}

inline dnnl::memory::data_type type_of(int64_t dtype) {
  return dtype == ITO_BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// What follows a product: `residual` added from what the destination holds, then an activation of ito_unary.h.
dnnl::primitive_attr attributes(int64_t activation, bool has_residual);

// Puts the residual where the sum is added to it.
void preload(const void* residual, void* out, const dnnl::memory::desc& desc);

// Runs `body`, turning the library's exceptions into a status.
template <typename Body>
int guarded(Body body) {
  try {
    return body();
  } catch (const dnnl::error&) {
    return 1;
  }
}

}  // namespace ito
