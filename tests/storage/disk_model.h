// A disk as a power loss sees it: what was synced, what was only written, and which directory
// entries are not safe yet. Knows nothing of RocksDB; model_files.h puts it under a store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace skald::storage {

/// What a power loss does to bytes and entries that were not synced.
enum class Loss : std::uint8_t {
  all_unsynced,       // bytes and entries: as at the last sync
  random_prefix,      // of each file's unsynced bytes some arrived
  torn_sector,        // and behind them stands half a sector of garbage
  zero_tail,          // the length arrived, the bytes did not: zeros
  entries_and_order,  // the last creations, renames and removals; each file all its bytes or none
};
inline constexpr std::size_t kLosses = 5;
[[nodiscard]] std::string_view name(Loss loss);

using Random = std::mt19937_64;

/// Thread: every call from any thread.
class DiskModel {
 public:
  struct File;
  using FilePtr = std::shared_ptr<File>;
  /// Shared until one side writes: copies of a disk cost little.
  using Bytes = std::shared_ptr<const std::string>;
  struct File {
    Bytes bytes;
    Bytes durable;
  };

  DiskModel() = default;
  DiskModel(const DiskModel& other);
  DiskModel& operator=(const DiskModel&) = delete;

  /// The disk after the power comes back. `random` decides what is left to chance.
  [[nodiscard]] std::unique_ptr<DiskModel> after(Loss loss, Random& random) const;

  /// Called at every sync of a file or directory, just before it takes effect.
  void at_sync(std::function<void(const DiskModel&)> hook) { hook_ = std::move(hook); }

  void make_directory(const std::string& path);
  [[nodiscard]] bool is_directory(const std::string& path) const;
  /// Names in a directory, without their paths.
  [[nodiscard]] std::vector<std::string> children(const std::string& directory) const;
  [[nodiscard]] FilePtr find(const std::string& path) const;  // null: there is none
  /// An empty file, in the place of any other of that name.
  FilePtr create(const std::string& path);
  bool remove(const std::string& path);
  bool rename(const std::string& from, const std::string& to);
  void sync_directory(const std::string& path);

  [[nodiscard]] Bytes read(const File& file) const;
  void append(File& file, std::string_view bytes);
  void write_at(File& file, std::uint64_t offset, std::string_view bytes);
  void resize(File& file, std::uint64_t size);
  void sync(File& file);
  /// Puts bytes there as if they had always been: damage, or a file put back.
  void plant(const std::string& path, std::string bytes);
  [[nodiscard]] std::uint64_t bytes_used() const;

 private:
  using Entries = std::map<std::string, FilePtr>;
  // Entries that change together; null: no such entry any more.
  struct Change {
    std::string directory;
    std::vector<std::pair<std::string, FilePtr>> entries;
  };
  static void apply(Entries& entries, const Change& change);
  static std::shared_ptr<std::string> writable(File& file);
  static std::string remains(const File& file, Loss loss, Random& random);
  void change(Change change);

  mutable std::recursive_mutex mutex_;  // guards all below; the hook reads while it is held
  Entries entries_;
  Entries durable_;
  std::vector<Change> unsynced_;  // from durable_ to entries_, in order
  std::set<std::string> directories_;
  std::function<void(const DiskModel&)> hook_;
};

}  // namespace skald::storage
