#include "tests/storage/model_files.h"

#include <algorithm>
#include <limits>

namespace skald::storage {
namespace {

using rocksdb::IOStatus;
using rocksdb::Slice;
using IOOptions = rocksdb::IOOptions;
using Debug = rocksdb::IODebugContext;

IOStatus status_of(Fault fault) {
  return fault == Fault::no_space ? IOStatus::NoSpace("told to be full")
                                  : IOStatus::IOError("told to fail");
}

// Copies what the file holds there, as a read does.
Slice copy_out(const std::string& bytes, std::uint64_t offset, std::size_t size, char* scratch) {
  if (offset >= bytes.size()) return {scratch, 0};
  const std::size_t have = std::min<std::size_t>(size, bytes.size() - offset);
  std::copy_n(bytes.data() + offset, have, scratch);
  return {scratch, have};
}

class Reader final : public rocksdb::FSSequentialFile {
 public:
  Reader(ModelFiles& files, DiskModel& disk, DiskModel::FilePtr file)
      : files_(files), disk_(disk), file_(std::move(file)) {}
  IOStatus Read(std::size_t size, const IOOptions&, Slice* got, char* scratch, Debug*) override {
    if (auto failed = files_.next(Call::read); !failed.ok()) return failed;
    *got = copy_out(*disk_.read(*file_), at_, size, scratch);
    at_ += got->size();
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t size) override {
    at_ += size;
    return IOStatus::OK();
  }

 private:
  ModelFiles& files_;
  DiskModel& disk_;
  DiskModel::FilePtr file_;
  std::uint64_t at_ = 0;
};

class RandomReader final : public rocksdb::FSRandomAccessFile {
 public:
  RandomReader(ModelFiles& files, DiskModel& disk, DiskModel::FilePtr file)
      : files_(files), disk_(disk), file_(std::move(file)) {}
  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* got, char* scratch,
                Debug*) const override {
    if (auto failed = files_.next(Call::read); !failed.ok()) return failed;
    *got = copy_out(*disk_.read(*file_), offset, size, scratch);
    return IOStatus::OK();
  }

 private:
  ModelFiles& files_;
  DiskModel& disk_;
  DiskModel::FilePtr file_;
};

class Writer final : public rocksdb::FSWritableFile {
 public:
  Writer(ModelFiles& files, DiskModel& disk, DiskModel::FilePtr file)
      : files_(files), disk_(disk), file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, Debug*) override {
    const auto fault = files_.fault(Call::append);
    const std::string_view bytes = data.ToStringView();
    if (!fault) disk_.append(*file_, bytes);
    if (fault == Fault::short_write) disk_.append(*file_, bytes.substr(0, bytes.size() / 2));
    return fault ? status_of(*fault) : IOStatus::OK();
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, Debug*) override {
    if (auto failed = files_.next(Call::truncate); !failed.ok()) return failed;
    disk_.resize(*file_, size);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, Debug*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, Debug*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, Debug*) override {
    if (auto failed = files_.next(Call::sync); !failed.ok()) return failed;
    disk_.sync(*file_);
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, Debug*) override {
    return disk_.read(*file_)->size();
  }

 private:
  ModelFiles& files_;
  DiskModel& disk_;
  DiskModel::FilePtr file_;
};

class InPlaceWriter final : public rocksdb::FSRandomRWFile {
 public:
  InPlaceWriter(ModelFiles& files, DiskModel& disk, DiskModel::FilePtr file)
      : files_(files), disk_(disk), file_(std::move(file)) {}
  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&, Debug*) override {
    if (auto failed = files_.next(Call::append); !failed.ok()) return failed;
    disk_.write_at(*file_, offset, data.ToStringView());
    return IOStatus::OK();
  }
  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* got, char* scratch,
                Debug*) const override {
    if (auto failed = files_.next(Call::read); !failed.ok()) return failed;
    *got = copy_out(*disk_.read(*file_), offset, size, scratch);
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, Debug*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, Debug*) override {
    if (auto failed = files_.next(Call::sync); !failed.ok()) return failed;
    disk_.sync(*file_);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, Debug*) override { return IOStatus::OK(); }

 private:
  ModelFiles& files_;
  DiskModel& disk_;
  DiskModel::FilePtr file_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(ModelFiles& files, DiskModel& disk, std::string name)
      : files_(files), disk_(disk), name_(std::move(name)) {}
  IOStatus Fsync(const IOOptions&, Debug*) override {
    if (auto failed = files_.next(Call::directory_sync); !failed.ok()) return failed;
    disk_.sync_directory(name_);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, Debug*) override { return IOStatus::OK(); }

 private:
  ModelFiles& files_;
  DiskModel& disk_;
  std::string name_;
};

class Lock final : public rocksdb::FileLock {};

// Paths are compared as strings, so a slash too many must not matter.
std::string plain(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

}  // namespace

std::string_view name(Call call) {
  constexpr std::array<std::string_view, kCalls> kNames = {
      "open", "read", "append", "sync", "directory_sync", "rename", "truncate", "remove", "list"};
  return kNames.at(static_cast<std::size_t>(call));
}

std::string_view name(Fault fault) {
  constexpr std::array<std::string_view, 3> kNames = {"EIO", "ENOSPC", "short write"};
  return kNames.at(static_cast<std::size_t>(fault));
}

void ModelFiles::plan(FaultPlan plan) {
  const std::scoped_lock lock(mutex_);
  plan_ = plan;
  failed_ = false;
}

std::optional<Fault> ModelFiles::fault(Call call) {
  const std::scoped_lock lock(mutex_);
  if (plan_.n == 0 || call != plan_.call) return std::nullopt;
  if (plan_.n > 1) {
    --plan_.n;
    return std::nullopt;
  }
  if (!plan_.for_ever) plan_.n = 0;
  failed_ = true;
  return plan_.fault;
}

IOStatus ModelFiles::next(Call call) {
  const auto failed = fault(call);
  return failed ? status_of(*failed) : IOStatus::OK();
}

IOStatus ModelFiles::find(const std::string& name, DiskModel::FilePtr& file) {
  if (auto failed = next(Call::open); !failed.ok()) return failed;
  file = disk_.find(plain(name));
  return file != nullptr ? IOStatus::OK() : IOStatus::PathNotFound("no such file", name);
}

IOStatus ModelFiles::NewSequentialFile(const std::string& name, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSSequentialFile>* file, Debug*) {
  DiskModel::FilePtr found;
  auto status = find(name, found);
  if (status.ok()) *file = std::make_unique<Reader>(*this, disk_, std::move(found));
  return status;
}

IOStatus ModelFiles::NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions&,
                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                         Debug*) {
  DiskModel::FilePtr found;
  auto status = find(name, found);
  if (status.ok()) *file = std::make_unique<RandomReader>(*this, disk_, std::move(found));
  return status;
}

IOStatus ModelFiles::writable(const std::string& name, bool fresh,
                              std::unique_ptr<rocksdb::FSWritableFile>* file) {
  if (auto failed = next(Call::open); !failed.ok()) return failed;
  DiskModel::FilePtr found = fresh ? nullptr : disk_.find(plain(name));
  if (found == nullptr) found = disk_.create(plain(name));
  *file = std::make_unique<Writer>(*this, disk_, std::move(found));
  return IOStatus::OK();
}

IOStatus ModelFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions&,
                                     std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) {
  return writable(name, true, file);
}

IOStatus ModelFiles::ReopenWritableFile(const std::string& name, const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file, Debug*) {
  return writable(name, false, file);
}

IOStatus ModelFiles::NewRandomRWFile(const std::string& name, const rocksdb::FileOptions&,
                                     std::unique_ptr<rocksdb::FSRandomRWFile>* file, Debug*) {
  DiskModel::FilePtr found;
  auto status = find(name, found);
  if (status.ok()) *file = std::make_unique<InPlaceWriter>(*this, disk_, std::move(found));
  return status;
}

IOStatus ModelFiles::NewDirectory(const std::string& name, const IOOptions&,
                                  std::unique_ptr<rocksdb::FSDirectory>* directory, Debug*) {
  if (auto failed = next(Call::open); !failed.ok()) return failed;
  *directory = std::make_unique<Directory>(*this, disk_, plain(name));
  return IOStatus::OK();
}

IOStatus ModelFiles::FileExists(const std::string& name, const IOOptions&, Debug*) {
  if (auto failed = next(Call::list); !failed.ok()) return failed;
  const bool is = disk_.find(plain(name)) != nullptr || disk_.is_directory(plain(name));
  return is ? IOStatus::OK() : IOStatus::NotFound();
}

IOStatus ModelFiles::GetChildren(const std::string& directory, const IOOptions&,
                                 std::vector<std::string>* names, Debug*) {
  if (auto failed = next(Call::list); !failed.ok()) return failed;
  *names = disk_.children(plain(directory));
  return IOStatus::OK();
}

IOStatus ModelFiles::GetFileSize(const std::string& name, const IOOptions&, std::uint64_t* size,
                                 Debug*) {
  if (auto failed = next(Call::list); !failed.ok()) return failed;
  const auto file = disk_.find(plain(name));
  if (file == nullptr) return IOStatus::PathNotFound("no such file", name);
  *size = disk_.read(*file)->size();
  return IOStatus::OK();
}

IOStatus ModelFiles::GetFileModificationTime(const std::string&, const IOOptions&,
                                             std::uint64_t* time, Debug*) {
  *time = 0;
  return IOStatus::OK();
}

IOStatus ModelFiles::GetAbsolutePath(const std::string& path, const IOOptions&,
                                     std::string* absolute, Debug*) {
  *absolute = path;
  return IOStatus::OK();
}

IOStatus ModelFiles::IsDirectory(const std::string& path, const IOOptions&, bool* is, Debug*) {
  *is = disk_.is_directory(plain(path));
  return IOStatus::OK();
}

IOStatus ModelFiles::DeleteFile(const std::string& name, const IOOptions&, Debug*) {
  if (auto failed = next(Call::remove); !failed.ok()) return failed;
  return disk_.remove(plain(name)) ? IOStatus::OK() : IOStatus::PathNotFound("no such file", name);
}

IOStatus ModelFiles::RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                                Debug*) {
  if (auto failed = next(Call::rename); !failed.ok()) return failed;
  const bool done = disk_.rename(plain(from), plain(to));
  return done ? IOStatus::OK() : IOStatus::PathNotFound("no such file", from);
}

IOStatus ModelFiles::CreateDir(const std::string& name, const IOOptions&, Debug*) {
  disk_.make_directory(plain(name));
  return IOStatus::OK();
}

IOStatus ModelFiles::CreateDirIfMissing(const std::string& name, const IOOptions&, Debug*) {
  disk_.make_directory(plain(name));
  return IOStatus::OK();
}

IOStatus ModelFiles::LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** lock,
                              Debug*) {
  *lock = new Lock;
  return IOStatus::OK();
}

IOStatus ModelFiles::UnlockFile(rocksdb::FileLock* lock, const IOOptions&, Debug*) {
  delete lock;
  return IOStatus::OK();
}

IOStatus ModelFiles::GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* bytes,
                                  Debug*) {
  *bytes = std::numeric_limits<std::uint64_t>::max();
  return IOStatus::OK();
}

}  // namespace skald::storage
