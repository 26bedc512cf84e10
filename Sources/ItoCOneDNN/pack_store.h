// The store behind ito_pack_store.h, for the holder of packed forms.
#pragma once
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "include/ito_pack_store.h"
#include "pack_file.h"

struct ito_pack_store {
 public:
  ito_pack_store(const char* folder, const char* name, int64_t room);
  ~ito_pack_store();
  ito_pack_store(const ito_pack_store&) = delete;

  // The form called `key`, of `bytes`, checked; null when there is none.
  const void* find(const std::string& key, size_t bytes);
  // Writes a form; its mapped copy, or null where it was not written.
  const void* add(const std::string& key, const void* data, size_t bytes);
  // Whether there is news of what it did.
  bool finish();
  void release_pages();
  bool has(const std::string& weights);
  bool takes();
  ito_pack_store_state statistics();

  // What the key of every form of some weights begins with.
  static std::string weights(int64_t offset, int64_t bytes) {
    return std::to_string(offset) + "+" + std::to_string(bytes);
  }

 private:
  std::mutex mutex;
  const std::string folder, name;
  uint64_t room;    // bytes that may still be written
  uint64_t before;  // bytes of all files in the folder when `room` was said
  ito_pack_store_state state{};
  bool has_news = false;
  std::vector<std::unique_ptr<ito::PackFile>> files;
  std::unordered_set<std::string> known;

  // The file that is being written.
  int descriptor = -1;
  std::string temporary;
  uint64_t end = 0;
  std::vector<std::pair<std::string, ito::PackEntry>> added;
  std::vector<std::pair<void*, size_t>> mapped;

  std::string path(int number) const { return folder + "/" + name + "." + std::to_string(number) + ".pack"; }
  bool begin();
  bool write(uint64_t offset, const void* data, size_t bytes);
  void commit();
  void abandon(int error);
};
