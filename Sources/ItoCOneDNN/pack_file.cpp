#include "pack_file.h"

#include <fcntl.h>
#include <ito_runtime.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace ito {
namespace {

constexpr char kMagic[8] = {'I', 'T', 'O', 'P', 'A', 'C', 'K', '1'};
constexpr uint64_t kPrime = 0x9e3779b97f4a7c15u;
constexpr size_t kChunk = size_t(1) << 20;

uint64_t turned(uint64_t x) { return x << 29 | x >> 35; }

// Eight sums beside each other; each step is a bijection of the sum before.
uint64_t checksum_of_chunk(const char* p, size_t bytes) {
  uint64_t lanes[8];
  for (int i = 0; i < 8; i++) lanes[i] = kPrime * uint64_t(i + 1);
  size_t at = 0;
  for (; at + 64 <= bytes; at += 64) {
    uint64_t words[8];
    std::memcpy(words, p + at, 64);
    for (int i = 0; i < 8; i++) lanes[i] = turned((lanes[i] ^ words[i]) * kPrime);
  }
  uint64_t rest[8] = {};
  std::memcpy(rest, p + at, bytes - at);
  uint64_t sum = bytes;
  for (int i = 0; i < 8; i++) sum = turned((sum ^ turned((lanes[i] ^ rest[i]) * kPrime)) * kPrime);
  return sum;
}

struct Chunks {
  const char* p;
  size_t bytes;
  std::vector<uint64_t> sums;

  void run(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      size_t first = size_t(i) * kChunk;
      sums[size_t(i)] = checksum_of_chunk(p + first, bytes - first < kChunk ? bytes - first : kChunk);
    }
  }
};

}  // namespace

uint64_t checksum(const void* data, size_t bytes) {
  Chunks chunks{static_cast<const char*>(data), bytes, std::vector<uint64_t>((bytes + kChunk - 1) / kChunk)};
  ito_parallel_for(
      int64_t(chunks.sums.size()), 4,
      [](void* ctx, int64_t begin, int64_t end) { static_cast<Chunks*>(ctx)->run(begin, end); }, &chunks);
  uint64_t sum = bytes;
  for (uint64_t part : chunks.sums) sum = turned((sum ^ part) * kPrime);
  return sum;
}

std::string pack_index(const std::vector<std::pair<std::string, PackEntry>>& entries) {
  std::string index;
  for (auto& [key, entry] : entries) {
    const uint64_t numbers[4] = {key.size(), entry.offset, entry.bytes, entry.checksum};
    index.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
    index.append(key);
  }
  return index;
}

PackHeader pack_header(const std::string& name, uint64_t end, const std::string& index, uint64_t count) {
  PackHeader h{};
  std::memcpy(h.magic, kMagic, sizeof kMagic);
  h.file_bytes = end + index.size();
  h.index_offset = end;
  h.index_bytes = index.size();
  h.index_checksum = checksum(index.data(), index.size());
  h.count = count;
  h.name = checksum(name.data(), name.size());
  h.header = checksum(&h, offsetof(PackHeader, header));
  return h;
}

PackFile::Result PackFile::open(const std::string& path, const std::string& name, std::unique_ptr<PackFile>& file) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return errno == ENOENT || errno == ENOTDIR ? Result::none : Result::damaged;
  struct stat info;
  void* base = MAP_FAILED;
  if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
      info.st_size >= off_t(sizeof(PackHeader)))
    base = mmap(nullptr, size_t(info.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (base == MAP_FAILED) return Result::damaged;
  file.reset(new PackFile(path, static_cast<const char*>(base), size_t(info.st_size)));
  if (file->read_index(name)) return Result::opened;
  file = nullptr;
  return Result::damaged;
}

PackFile::~PackFile() { munmap(const_cast<char*>(base), bytes); }

void PackFile::release_pages() const { madvise(const_cast<char*>(base), bytes, MADV_DONTNEED); }

bool PackFile::read_index(const std::string& name) {
  PackHeader h;
  std::memcpy(&h, base, sizeof h);
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0 || h.header != checksum(&h, offsetof(PackHeader, header)) ||
      h.name != checksum(name.data(), name.size()) || h.file_bytes != bytes || h.index_offset < sizeof h ||
      h.index_offset > bytes || h.index_bytes != bytes - h.index_offset ||
      h.index_checksum != checksum(base + h.index_offset, h.index_bytes))
    return false;
  uint64_t at = h.index_offset, count = 0;
  while (at < bytes) {
    uint64_t numbers[4];
    if (bytes - at < sizeof numbers) return false;
    std::memcpy(numbers, base + at, sizeof numbers);
    at += sizeof numbers;
    const PackEntry entry{numbers[1], numbers[2], numbers[3], false};
    if (numbers[0] > bytes - at || entry.offset % kPackPage != 0 || entry.offset < sizeof h ||
        entry.offset > h.index_offset || entry.bytes > h.index_offset - entry.offset)
      return false;
    if (!entries.emplace(std::string(base + at, numbers[0]), entry).second) return false;
    at += numbers[0];
    count++;
  }
  return count == h.count;
}

}  // namespace ito
