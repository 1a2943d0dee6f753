// RocksDB's files on a DiskModel, failing when told to: the n-th call of a kind, once or for ever.
// It slides under a store by RocksOptions::env.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tests/storage/disk_model.h"

namespace skald::storage {

enum class Call : std::uint8_t {
  open,
  read,
  append,
  sync,
  directory_sync,
  rename,
  truncate,
  remove,
  list
};
inline constexpr std::size_t kCalls = 9;
[[nodiscard]] std::string_view name(Call call);

enum class Fault : std::uint8_t { io_error, no_space, short_write };
[[nodiscard]] std::string_view name(Fault fault);

struct FaultPlan {
  Call call = Call::append;
  std::int64_t n = 0;  // from 1; 0: none fails
  Fault fault = Fault::io_error;
  bool for_ever = false;
};

class ModelFiles final : public rocksdb::FileSystemWrapper {
 public:
  using IOStatus = rocksdb::IOStatus;
  using IOOptions = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;

  explicit ModelFiles(DiskModel& disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
  const char* Name() const override { return "ModelFiles"; }

  void plan(FaultPlan plan);
  [[nodiscard]] bool failed() const { return failed_; }
  /// Counts a call of that kind. An answer: it fails, and how.
  [[nodiscard]] std::optional<Fault> fault(Call call);
  /// The same as a status.
  [[nodiscard]] IOStatus next(Call call);

  IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             Debug* debug) override;
  IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               Debug* debug) override;
  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) override;
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              Debug* debug) override;
  IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* file, Debug* debug) override;
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, Debug* debug) override;

  IOStatus FileExists(const std::string& name, const IOOptions& options, Debug* debug) override;
  IOStatus GetChildren(const std::string& directory, const IOOptions& options,
                       std::vector<std::string>* names, Debug* debug) override;
  IOStatus GetFileSize(const std::string& name, const IOOptions& options, std::uint64_t* size,
                       Debug* debug) override;
  IOStatus GetFileModificationTime(const std::string& name, const IOOptions& options,
                                   std::uint64_t* time, Debug* debug) override;
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions& options, std::string* absolute,
                           Debug* debug) override;
  IOStatus IsDirectory(const std::string& path, const IOOptions& options, bool* is,
                       Debug* debug) override;
  IOStatus DeleteFile(const std::string& name, const IOOptions& options, Debug* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      Debug* debug) override;
  IOStatus CreateDir(const std::string& name, const IOOptions& options, Debug* debug) override;
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions& options,
                              Debug* debug) override;
  IOStatus LockFile(const std::string& name, const IOOptions& options, rocksdb::FileLock** lock,
                    Debug* debug) override;
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions& options, Debug* debug) override;
  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                        Debug* debug) override;

 private:
  /// The file, or what a file system says where there is none.
  IOStatus find(const std::string& name, DiskModel::FilePtr& file);
  IOStatus writable(const std::string& name, bool fresh,
                    std::unique_ptr<rocksdb::FSWritableFile>* file);

  DiskModel& disk_;
  std::mutex mutex_;  // guards plan_
  FaultPlan plan_;
  std::atomic<bool> failed_ = false;
};

/// Nobody waits: RocksDB sleeps for a second after each background error.
class HastyClock final : public rocksdb::SystemClockWrapper {
 public:
  HastyClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "HastyClock"; }
  void SleepForMicroseconds(int micros) override {
    target_->SleepForMicroseconds(std::min(micros, 100));
  }
};

/// The environment that RocksOptions takes.
class ModelEnv final : public rocksdb::EnvWrapper {
 public:
  explicit ModelEnv(DiskModel& disk) : ModelEnv(std::make_shared<ModelFiles>(disk)) {}
  [[nodiscard]] ModelFiles& files() const { return *files_; }

 private:
  explicit ModelEnv(std::shared_ptr<ModelFiles> files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)), files_(std::move(files)) {
    file_system_ = files_;
    system_clock_ = std::make_shared<HastyClock>();
  }

  std::shared_ptr<ModelFiles> files_;
};

}  // namespace skald::storage
