// A file system that fails when told to: the n-th operation that changes files, an error, a short
// write or a full disk. It slides under RocksStore by RocksOptions::env.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace skald {

class FaultyFiles final : public rocksdb::FileSystemWrapper {
 public:
  using IOStatus = rocksdb::IOStatus;
  using IOOptions = rocksdb::IOOptions;
  enum class Fault { error, short_write, no_space };

  FaultyFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFiles"; }

  /// The n-th operation from now fails, and if `for_ever` all after it. Only on files whose name
  /// ends with `suffix`.
  void fail(std::int64_t n, Fault fault, bool for_ever, std::string suffix = "") {
    const std::scoped_lock lock(mutex_);
    left_ = n;
    fault_ = fault;
    for_ever_ = for_ever;
    suffix_ = std::move(suffix);
    failed_ = false;
  }
  void heal() { fail(-1, Fault::error, false); }
  [[nodiscard]] bool failed() const {
    const std::scoped_lock lock(mutex_);
    return failed_;
  }
  /// Bytes that log files took since their last sync.
  [[nodiscard]] std::int64_t unsynced_log_bytes() const { return unsynced_log_bytes_; }
  void set_free_bytes(std::optional<std::uint64_t> bytes) { free_bytes_ = bytes; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           rocksdb::IODebugContext* debug) override {
    return wrap(name, file, [&] { return target()->NewWritableFile(name, options, file, debug); });
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              rocksdb::IODebugContext* debug) override {
    return wrap(name, file,
                [&] { return target()->ReopenWritableFile(name, options, file, debug); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      rocksdb::IODebugContext* debug) override {
    if (const auto fault = next(to)) return status(*fault);
    return target()->RenameFile(from, to, options, debug);
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      rocksdb::IODebugContext* debug) override {
    if (const auto fault = next(name)) return status(*fault);
    return target()->DeleteFile(name, options, debug);
  }
  IOStatus Truncate(const std::string& name, std::size_t size, const IOOptions& options,
                    rocksdb::IODebugContext* debug) override {
    if (const auto fault = next(name)) return status(*fault);
    return target()->Truncate(name, size, options, debug);
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                        rocksdb::IODebugContext* debug) override {
    auto made = target()->NewDirectory(name, options, directory, debug);
    if (made.ok()) *directory = std::make_unique<Directory>(*this, name, std::move(*directory));
    return made;
  }
  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                        rocksdb::IODebugContext* debug) override {
    if (!free_bytes_) return target()->GetFreeSpace(path, options, bytes, debug);
    *bytes = *free_bytes_;
    return IOStatus::OK();
  }

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(FaultyFiles& files, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)),
          files_(files),
          name_(std::move(name)),
          is_log_(name_.ends_with(".log")) {}

    using FSWritableFileOwnerWrapper::PositionedAppend;
    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                    rocksdb::IODebugContext* debug) override {
      if (const auto fault = files_.next(name_)) {
        if (*fault == Fault::short_write) {
          (void)FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, debug);
        }
        return status(*fault);
      }
      if (is_log_) count(static_cast<std::int64_t>(data.size()));
      return FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    IOStatus Sync(const IOOptions& options, rocksdb::IODebugContext* debug) override {
      if (const auto fault = files_.next(name_)) return status(*fault);
      count(-unsynced_);
      return FSWritableFileOwnerWrapper::Sync(options, debug);
    }
    IOStatus Fsync(const IOOptions& options, rocksdb::IODebugContext* debug) override {
      if (const auto fault = files_.next(name_)) return status(*fault);
      count(-unsynced_);
      return FSWritableFileOwnerWrapper::Fsync(options, debug);
    }
    IOStatus Close(const IOOptions& options, rocksdb::IODebugContext* debug) override {
      const auto fault = files_.next(name_);
      auto closed = FSWritableFileOwnerWrapper::Close(options, debug);
      return fault ? status(*fault) : closed;
    }

   private:
    void count(std::int64_t bytes) {
      unsynced_ += bytes;
      files_.unsynced_log_bytes_ += bytes;
    }

    FaultyFiles& files_;
    std::string name_;
    bool is_log_;
    std::int64_t unsynced_ = 0;
  };

  class Directory final : public rocksdb::FSDirectoryWrapper {
   public:
    Directory(FaultyFiles& files, std::string name, std::unique_ptr<rocksdb::FSDirectory> directory)
        : FSDirectoryWrapper(std::move(directory)), files_(files), name_(std::move(name)) {}
    IOStatus Fsync(const IOOptions& options, rocksdb::IODebugContext* debug) override {
      if (const auto fault = files_.next(name_)) return status(*fault);
      return FSDirectoryWrapper::Fsync(options, debug);
    }
    IOStatus FsyncWithDirOptions(const IOOptions& options, rocksdb::IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions& how) override {
      if (const auto fault = files_.next(name_)) return status(*fault);
      return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how);
    }

   private:
    FaultyFiles& files_;
    std::string name_;
  };

  template <class Make>
  IOStatus wrap(const std::string& name, std::unique_ptr<rocksdb::FSWritableFile>* file,
                const Make& make) {
    if (const auto fault = next(name)) return status(*fault);
    auto made = make();
    if (made.ok()) *file = std::make_unique<File>(*this, name, std::move(*file));
    return made;
  }
  static IOStatus status(Fault fault) {
    switch (fault) {
      case Fault::error:
      case Fault::short_write:
        return IOStatus::IOError("told to fail");
      case Fault::no_space:
        return IOStatus::NoSpace("told to be full");
    }
    return IOStatus::IOError();
  }
  // Counts one operation; an answer: it fails.
  std::optional<Fault> next(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    if (left_ < 0 || !name.ends_with(suffix_)) return std::nullopt;
    if (left_ > 0) --left_;
    if (left_ > 0) return std::nullopt;
    failed_ = true;
    if (!for_ever_) left_ = -1;
    return fault_;
  }

  mutable std::mutex mutex_;  // guards the plan
  std::int64_t left_ = -1;    // operations until the first that fails; -1: none does
  Fault fault_ = Fault::error;
  bool for_ever_ = false;
  bool failed_ = false;
  std::string suffix_;
  std::atomic<std::int64_t> unsynced_log_bytes_ = 0;
  std::optional<std::uint64_t> free_bytes_;
};

/// The file system and the environment that RocksOptions takes.
struct FaultyEnv {
  std::shared_ptr<FaultyFiles> files = std::make_shared<FaultyFiles>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace skald
