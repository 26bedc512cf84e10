#include "pack_store.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ito_runtime.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <dnnl.hpp>

namespace {

// Files of one store; each run at another size may add one.
constexpr int kFiles = 32;

uint64_t up_to_page(uint64_t bytes) { return (bytes + ito::kPackPage - 1) / ito::kPackPage * ito::kPackPage; }

uint64_t bytes_in(const std::string& folder) {
  uint64_t sum = 0;
  DIR* handle = opendir(folder.c_str());
  if (!handle) return 0;
  while (const dirent* entry = readdir(handle)) {
    struct stat file;
    if (fstatat(dirfd(handle), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode))
      sum += uint64_t(file.st_size);
  }
  closedir(handle);
  return sum;
}

// The file that `function` was loaded from, so that another build of it is another identity.
std::string object_of(void* function) {
  Dl_info info;
  struct stat file;
  if (!dladdr(function, &info) || !info.dli_fname || stat(info.dli_fname, &file) != 0) return "unknown";
  return std::to_string(file.st_size) + "/" + std::to_string(file.st_mtim.tv_sec) + "." +
         std::to_string(file.st_mtim.tv_nsec);
}

}  // namespace

ito_pack_store::ito_pack_store(const char* folder, const char* name, int64_t room)
    : folder(folder), name(name), room(room > 0 ? uint64_t(room) : 0), before(bytes_in(folder)) {
  for (int number = 0; number < kFiles; number++) {
    std::unique_ptr<ito::PackFile> file;
    const auto result = ito::PackFile::open(path(number), this->name, file);
    if (result == ito::PackFile::Result::none) continue;
    if (result == ito::PackFile::Result::damaged) {
      state.damaged++;
      has_news = true;
      unlink(path(number).c_str());
      continue;
    }
    for (auto& entry : file->entries) known.insert(entry.first.substr(0, entry.first.find(' ')));
    files.push_back(std::move(file));
  }
}

ito_pack_store::~ito_pack_store() {
  if (descriptor >= 0) {
    unlink(temporary.c_str());
    close(descriptor);
  }
  for (auto& part : mapped) munmap(part.first, part.second);
}

const void* ito_pack_store::find(const std::string& key, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto& file : files) {
    auto found = file->entries.find(key);
    if (found == file->entries.end() || found->second.bytes != bytes) continue;
    ito::PackEntry& entry = found->second;
    if (!entry.is_checked && ito::checksum(file->data(entry), bytes) != entry.checksum) {
      // Whoever has a form of this file has checked it; the others are not to be had any more.
      state.damaged++;
      has_news = true;
      unlink(file->path.c_str());
      file->entries.clear();
      continue;
    }
    entry.is_checked = true;
    state.found++;
    return file->data(entry);
  }
  return nullptr;
}

// An empty file that no other process has; one that a killed process left is taken over.
bool ito_pack_store::begin() {
  if (descriptor >= 0) return true;
  for (int number = 0; number < kFiles && descriptor < 0; number++) {
    temporary = folder + "/." + name + "." + std::to_string(number) + ".partial";
    int made = open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made < 0) {
      abandon(errno);
      return false;
    }
    struct stat opened, named;
    // Between opening and locking, the holder may have given this very file its name, or removed it.
    if (flock(made, LOCK_EX | LOCK_NB) == 0 && fstat(made, &opened) == 0 && lstat(temporary.c_str(), &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_nlink == 1 && ftruncate(made, 0) == 0)
      descriptor = made;
    else
      close(made);
  }
  // Other stores of the folder may have been written since.
  const uint64_t now = bytes_in(folder), grown = now > before ? now - before : 0;
  room -= grown < room ? grown : room;
  if (descriptor < 0) {
    abandon(EBUSY);
    return false;
  }
  end = ito::kPackPage;
  return true;
}

bool ito_pack_store::write(uint64_t offset, const void* data, size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t written = pwrite(descriptor, p, bytes, off_t(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      abandon(written < 0 ? errno : EIO);
      return false;
    }
    p += written;
    offset += uint64_t(written);
    bytes -= size_t(written);
  }
  return true;
}

// No more is written, and nothing of what was will be found. What was mapped of it stays until the store is closed.
void ito_pack_store::abandon(int error) {
  state.error = error;
  has_news = true;
  if (descriptor < 0) return;
  unlink(temporary.c_str());
  close(descriptor);
  descriptor = -1;
  added.clear();
}

const void* ito_pack_store::add(const std::string& key, const void* data, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (state.error || bytes == 0) return nullptr;
  const uint64_t size = up_to_page(bytes);
  if (!begin()) return nullptr;
  if (size > room) {
    has_news = has_news || !state.is_full;
    state.is_full = 1;
    return nullptr;
  }
  if (!write(end, data, bytes)) return nullptr;
  void* copy = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, off_t(end));
  if (copy == MAP_FAILED) return nullptr;
  mapped.emplace_back(copy, bytes);
  added.emplace_back(key, ito::PackEntry{end, bytes, ito::checksum(data, bytes), true});
  has_news = true;
  state.added++;
  state.added_bytes += int64_t(bytes);
  end += size;
  room -= size;
  return copy;
}

// Not flushed to the device: after a crash, checksums tell what did not get there.
void ito_pack_store::commit() {
  const std::string index = ito::pack_index(added);
  const ito::PackHeader header = ito::pack_header(name, end, index, added.size());
  if (!write(end, index.data(), index.size()) || !write(0, &header, sizeof header)) return;
  int number = 0;
  while (number < kFiles && link(temporary.c_str(), path(number).c_str()) != 0) {
    if (errno != EEXIST) return abandon(errno);
    number++;
  }
  if (number == kFiles) return abandon(EMFILE);
  unlink(temporary.c_str());
  close(descriptor);
  descriptor = -1;
  added.clear();
  before = bytes_in(folder);
}

void ito_pack_store::release_pages() {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto& file : files) file->release_pages();
  for (auto& part : mapped) madvise(part.first, part.second, MADV_DONTNEED);
}

bool ito_pack_store::finish() {
  std::lock_guard<std::mutex> lock(mutex);
  if (!added.empty()) commit();
  return std::exchange(has_news, false);
}

bool ito_pack_store::has(const std::string& weights) {
  std::lock_guard<std::mutex> lock(mutex);
  return known.count(weights) > 0;
}

bool ito_pack_store::takes() {
  std::lock_guard<std::mutex> lock(mutex);
  return !state.error && !state.is_full;
}

ito_pack_store_state ito_pack_store::statistics() {
  std::lock_guard<std::mutex> lock(mutex);
  return state;
}

extern "C" {

ito_pack_store* ito_pack_store_open(const char* folder, const char* name, int64_t room) {
  return new ito_pack_store(folder, name, room);
}
void ito_pack_store_close(ito_pack_store* store) { delete store; }
int ito_pack_store_finish(ito_pack_store* store) { return store->finish(); }
void ito_pack_store_release_pages(ito_pack_store* store) { store->release_pages(); }
int ito_pack_store_has(ito_pack_store* store, int64_t offset, int64_t bytes) {
  return store->has(ito_pack_store::weights(offset, bytes));
}
int ito_pack_store_takes(ito_pack_store* store) { return store->takes(); }
ito_pack_store_state ito_pack_store_statistics(ito_pack_store* store) { return store->statistics(); }

const char* ito_packing_identity(void) {
  static thread_local std::string text;
  const dnnl_version_t* v = dnnl_version();
  text = "1 oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch) + " " +
         v->hash + " " + object_of(reinterpret_cast<void*>(&dnnl_version)) + " Ito " +
         object_of(reinterpret_cast<void*>(&ito_packing_identity)) + " isa " + std::to_string(ito_isa());
  return text.c_str();
}

}  // extern "C"
