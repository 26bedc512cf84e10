// One finished file of packed forms.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ito {

struct PackEntry {
  uint64_t offset, bytes, checksum;
  bool is_checked;
};

struct PackHeader {
  char magic[8];
  uint64_t file_bytes, index_offset, index_bytes, index_checksum, count;
  uint64_t name;    // checksum of the store's name
  uint64_t header;  // checksum of all before
};

constexpr uint64_t kPackPage = 4096;

// Of `bytes` bytes; every changed bit changes it. Not cryptographic: it finds damage, not forgery.
uint64_t checksum(const void* data, size_t bytes);

// The index and header of a file whose forms end at `end`; the index is written there.
std::string pack_index(const std::vector<std::pair<std::string, PackEntry>>& entries);
PackHeader pack_header(const std::string& name, uint64_t end, const std::string& index, uint64_t count);

// Mapped for reading.
class PackFile {
 public:
  enum class Result { none, damaged, opened };
  // What is at `path`: nothing, something else than a file of this user and `name`, or `file`.
  static Result open(const std::string& path, const std::string& name, std::unique_ptr<PackFile>& file);
  ~PackFile();
  PackFile(const PackFile&) = delete;

  std::unordered_map<std::string, PackEntry> entries;
  const std::string path;
  const char* data(const PackEntry& entry) const { return base + entry.offset; }
  void release_pages() const;

 private:
  PackFile(const std::string& path, const char* base, size_t bytes) : path(path), base(base), bytes(bytes) {}
  bool read_index(const std::string& name);
  const char* base;
  size_t bytes;
};

}  // namespace ito
