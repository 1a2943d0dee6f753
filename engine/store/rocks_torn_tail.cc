#include "engine/store/rocks_torn_tail.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <memory>

#include "engine/store/rocks_log_format.h"

namespace skald::rocks {
namespace {

Result<void> copy_tail(rocksdb::FileSystem& files, const std::string& from, const TornTail& tail) {
  std::unique_ptr<rocksdb::FSSequentialFile> in;
  std::unique_ptr<rocksdb::FSWritableFile> out;
  const rocksdb::IOOptions io;
  auto status = files.NewSequentialFile(from, rocksdb::FileOptions(), &in, nullptr);
  if (status.ok()) status = in->Skip(tail.offset);
  if (status.ok()) {
    status = files.NewWritableFile(tail.copy, rocksdb::FileOptions(), &out, nullptr);
  }
  std::string buffer(kBlockSize, '\0');
  for (std::uint64_t left = tail.size; status.ok() && left != 0;) {
    rocksdb::Slice got;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlockSize));
    status = in->Read(want, io, &got, buffer.data(), nullptr);
    if (!status.ok() || got.empty()) break;
    status = out->Append(got, io, nullptr);
    left -= got.size();
  }
  if (status.ok()) status = out->Fsync(io, nullptr);
  if (status.ok()) status = out->Close(io, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot set aside to", tail.copy, status));
  return {};
}

Result<void> cut(rocksdb::FileSystem& files, const std::string& path, std::uint64_t size) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const rocksdb::IOOptions io;
  // FileSystem::Truncate is not implemented for real files in 7.8.
  auto status = files.ReopenWritableFile(path, rocksdb::FileOptions(), &file, nullptr);
  if (status.ok()) status = file->Truncate(size, io, nullptr);
  if (status.ok()) status = file->Fsync(io, nullptr);
  if (status.ok()) status = file->Close(io, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot cut", path, status));
  return {};
}

}  // namespace

Result<void> sync_directory(rocksdb::FileSystem& files, const std::string& directory) {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  const rocksdb::IOOptions io;
  auto status = files.NewDirectory(directory, io, &opened, nullptr);
  if (status.ok()) status = opened->Fsync(io, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot sync", directory, status));
  return {};
}

Result<void> set_torn_tail_aside(rocksdb::FileSystem& files, const std::string& directory,
                                 std::int64_t now_ms, TornTail& tail) {
  const std::string folder = directory + "/torn";
  const auto status = files.CreateDirIfMissing(folder, rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot make", folder, status));
  tail.copy = fmt::format("{}/{}.{}", folder, tail.log, now_ms);
  const std::string log = directory + "/" + tail.log;
  if (auto done = copy_tail(files, log, tail); !done) return done;
  if (auto done = sync_directory(files, folder); !done) return done;
  if (auto done = sync_directory(files, directory); !done) return done;
  return cut(files, log, tail.offset);
}

}  // namespace skald::rocks
