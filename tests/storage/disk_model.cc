#include "tests/storage/disk_model.h"

#include <algorithm>

namespace skald::storage {
namespace {

constexpr std::size_t kSector = 512;

const DiskModel::Bytes& nothing() {
  static const DiskModel::Bytes empty = std::make_shared<std::string>();
  return empty;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }
bool coin(Random& random) { return below(random, 2) == 0; }

}  // namespace

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::all_unsynced:
      return "all_unsynced";
    case Loss::random_prefix:
      return "random_prefix";
    case Loss::torn_sector:
      return "torn_sector";
    case Loss::zero_tail:
      return "zero_tail";
    case Loss::entries_and_order:
      return "entries_and_order";
  }
  return "?";
}

DiskModel::DiskModel(const DiskModel& other) {
  const std::scoped_lock lock(other.mutex_);
  std::map<const File*, FilePtr> copies;
  const auto copy = [&](const FilePtr& file) -> FilePtr {
    if (file == nullptr) return nullptr;
    FilePtr& made = copies[file.get()];
    if (made == nullptr) made = std::make_shared<File>(*file);
    return made;
  };
  for (const auto& [path, file] : other.entries_) entries_[path] = copy(file);
  for (const auto& [path, file] : other.durable_) durable_[path] = copy(file);
  for (Change change : other.unsynced_) {
    for (auto& [path, file] : change.entries) file = copy(file);
    unsynced_.push_back(std::move(change));
  }
  directories_ = other.directories_;
}

void DiskModel::apply(Entries& entries, const Change& change) {
  for (const auto& [path, file] : change.entries) {
    if (file == nullptr) {
      entries.erase(path);
    } else {
      entries[path] = file;
    }
  }
}

void DiskModel::change(Change change) {
  apply(entries_, change);
  unsynced_.push_back(std::move(change));
}

// What of one file is there after the loss.
std::string DiskModel::remains(const File& file, Loss loss, Random& random) {
  const std::string& old = *file.durable;
  const std::string& now = *file.bytes;
  if (loss == Loss::all_unsynced || old == now) return old;
  if (loss == Loss::entries_and_order || now.size() < old.size()) return coin(random) ? old : now;
  // Sectors that were overwritten in place arrive each for itself; then the tail.
  std::string left = now.substr(0, old.size());
  for (std::size_t at = 0; at < old.size(); at += kSector) {
    if (coin(random)) left.replace(at, kSector, old, at, kSector);
  }
  const std::size_t tail = now.size() - old.size();
  const std::size_t arrived = below(random, tail + 1);
  left.append(now, old.size(), arrived);
  switch (loss) {
    case Loss::all_unsynced:
    case Loss::entries_and_order:
    case Loss::random_prefix:
      break;
    case Loss::torn_sector:
      if (arrived == tail) break;
      while (left.size() % kSector != 0) left.push_back(static_cast<char>(random()));
      break;
    case Loss::zero_tail:
      left.resize(now.size(), '\0');
      break;
  }
  return left;
}

std::unique_ptr<DiskModel> DiskModel::after(Loss loss, Random& random) const {
  const std::scoped_lock lock(mutex_);
  Entries entries = durable_;
  // A journal keeps the order of entries: what is lost is the end of it.
  std::size_t arrived = loss == Loss::all_unsynced ? 0 : unsynced_.size();
  if (loss == Loss::entries_and_order) arrived = below(random, unsynced_.size() + 1);
  for (std::size_t i = 0; i < arrived; ++i) apply(entries, unsynced_[i]);
  auto disk = std::make_unique<DiskModel>();
  disk->directories_ = directories_;
  std::map<const File*, FilePtr> left;  // one file may have two names after a half-done rename
  for (const auto& [path, file] : entries) {
    FilePtr& made = left[file.get()];
    if (made == nullptr) {
      auto bytes = std::make_shared<std::string>(remains(*file, loss, random));
      made = std::make_shared<File>(File{.bytes = bytes, .durable = bytes});
    }
    disk->entries_[path] = made;
  }
  disk->durable_ = disk->entries_;
  return disk;
}

void DiskModel::make_directory(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  directories_.insert(path);
}

bool DiskModel::is_directory(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  return directories_.contains(path);
}

std::vector<std::string> DiskModel::children(const std::string& directory) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  const std::string prefix = directory + "/";
  for (auto entry = entries_.lower_bound(prefix); entry != entries_.end(); ++entry) {
    if (!entry->first.starts_with(prefix)) break;
    const std::string name = entry->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  return names;
}

DiskModel::FilePtr DiskModel::find(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : found->second;
}

DiskModel::FilePtr DiskModel::create(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  const auto file = std::make_shared<File>(File{.bytes = nothing(), .durable = nothing()});
  change({.directory = directory_of(path), .entries = {{path, file}}});
  return file;
}

bool DiskModel::remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!entries_.contains(path)) return false;
  change({.directory = directory_of(path), .entries = {{path, nullptr}}});
  return true;
}

bool DiskModel::rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  const FilePtr file = find(from);
  if (file == nullptr) return false;
  change({.directory = directory_of(to), .entries = {{from, nullptr}, {to, file}}});
  return true;
}

void DiskModel::sync_directory(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (hook_) hook_(*this);
  const auto here = [&](const Change& one) { return one.directory == path; };
  for (const Change& one : unsynced_) {
    if (here(one)) apply(durable_, one);
  }
  std::erase_if(unsynced_, here);
}

// The bytes themselves where nobody else holds them, a copy otherwise.
std::shared_ptr<std::string> DiskModel::writable(File& file) {
  if (file.bytes.use_count() != 1) return std::make_shared<std::string>(*file.bytes);
  return std::const_pointer_cast<std::string>(std::move(file.bytes));
}

DiskModel::Bytes DiskModel::read(const File& file) const {
  const std::scoped_lock lock(mutex_);
  return file.bytes;
}

void DiskModel::append(File& file, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  write_at(file, file.bytes->size(), bytes);
}

void DiskModel::write_at(File& file, std::uint64_t offset, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  auto next = writable(file);
  if (next->size() < offset + bytes.size()) next->resize(offset + bytes.size());
  std::ranges::copy(bytes, next->begin() + static_cast<std::ptrdiff_t>(offset));
  file.bytes = std::move(next);
}

void DiskModel::resize(File& file, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  auto next = writable(file);
  next->resize(size);
  file.bytes = std::move(next);
}

void DiskModel::sync(File& file) {
  const std::scoped_lock lock(mutex_);
  if (hook_) hook_(*this);
  file.durable = file.bytes;
}

void DiskModel::plant(const std::string& path, std::string bytes) {
  const std::scoped_lock lock(mutex_);
  const auto content = std::make_shared<std::string>(std::move(bytes));
  entries_[path] = durable_[path] =
      std::make_shared<File>(File{.bytes = content, .durable = content});
}

std::uint64_t DiskModel::bytes_used() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [path, file] : entries_) bytes += file->bytes->size();
  return bytes;
}

}  // namespace skald::storage
