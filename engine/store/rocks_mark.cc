#include "engine/store/rocks_mark.h"

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <vector>

#include "engine/base/hash.h"
#include "engine/store/rocks_log_format.h"

namespace skald::rocks {
namespace {

constexpr std::uint32_t kMarkFormat = 1;  // Stored. Never reuse.
constexpr std::size_t kMarkSize = 4 + 3 * 8 + 4;
constexpr std::string_view kMarkFile = "/acknowledged";

void append(std::string& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::string encode(const Mark& mark) {
  std::string out;
  append(out, kMarkFormat, 4);
  append(out, mark.sequence, 8);
  append(out, mark.manifest, 8);
  append(out, mark.manifest_bytes, 8);
  append(out, crc32c(out), 4);
  return out;
}

std::optional<Mark> decode(std::string_view bytes) {
  if (bytes.size() != kMarkSize || little_endian<std::uint32_t>(bytes) != kMarkFormat ||
      little_endian<std::uint32_t>(bytes.substr(kMarkSize - 4)) !=
          crc32c(bytes.substr(0, kMarkSize - 4))) {
    return std::nullopt;
  }
  return Mark{.sequence = little_endian<std::uint64_t>(bytes.substr(4)),
              .manifest = little_endian<std::uint64_t>(bytes.substr(12)),
              .manifest_bytes = little_endian<std::uint64_t>(bytes.substr(20))};
}

constexpr std::string_view kAdvice =
    "acknowledged writes are lost: restore the directory from a copy";

}  // namespace

Result<FoundMark> read_mark(rocksdb::FileSystem& files, const std::string& directory) {
  const std::string path = directory + std::string(kMarkFile);
  const auto there = files.FileExists(path, rocksdb::IOOptions(), nullptr);
  if (there.IsNotFound() || there.IsPathNotFound()) return FoundMark{};
  auto file = LogFile::open(files, path);
  if (!file) return std::unexpected(file.error());
  const auto bytes = file->next();
  if (!bytes) return std::unexpected(bytes.error());
  const auto mark = decode(*bytes);
  return FoundMark{.mark = mark, .damaged = !mark};
}

// Written beside and renamed, so that a mark is whole or not there.
Result<void> write_mark(rocksdb::FileSystem& files, const std::string& directory,
                        const Mark& mark) {
  const std::string path = directory + std::string(kMarkFile);
  const std::string fresh = path + ".new";
  const rocksdb::IOOptions io;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  auto status = files.NewWritableFile(fresh, rocksdb::FileOptions(), &file, nullptr);
  if (status.ok()) status = file->Append(encode(mark), io, nullptr);
  if (status.ok()) status = file->Fsync(io, nullptr);
  if (status.ok()) status = file->Close(io, nullptr);
  if (status.ok()) status = files.RenameFile(fresh, path, io, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot make", path, status));
  return sync_directory(files, directory);
}

Result<void> check_reaches(const Mark& mark, const std::optional<ManifestCheck>& manifest,
                           const std::string& directory) {
  if (!manifest) {
    return fail(Errc::data_loss, "{}/CURRENT is missing, but writes were acknowledged here; {}",
                directory, kAdvice);
  }
  if (manifest->number < mark.manifest) {
    return fail(Errc::data_loss,
                "{}/CURRENT names {}, but manifest {} was in use: an older file stands there; {}",
                directory, manifest->name, mark.manifest, kAdvice);
  }
  if (manifest->number == mark.manifest && manifest->end < mark.manifest_bytes) {
    return fail(Errc::data_loss, "manifest {}/{} is sound up to offset {}, but {} were synced; {}",
                directory, manifest->name, manifest->end, mark.manifest_bytes, kAdvice);
  }
  return {};
}

Result<bool> check_reaches(const Mark& mark, const LogCheck& logs, const std::string& directory) {
  if (logs.next_sequence > mark.sequence) return true;
  // Later writes go to later logs: the last one's last write is the store's.
  if (logs.last_log_writes == 0) return false;
  return fail(
      Errc::data_loss,
      "log {}/{} ends with update {}, but update {} was acknowledged: the log was cut short "
      "or replaced, or a later one is missing; {}",
      directory, logs.last_log, logs.next_sequence - 1, mark.sequence, kAdvice);
}

Result<void> check_reaches(const Mark& mark, std::uint64_t last_sequence, const LogCheck& logs,
                           const std::string& directory) {
  if (last_sequence >= mark.sequence) return {};
  return fail(Errc::data_loss,
              "{} ends with update {}, but update {} was acknowledged: its last log, {}, was cut "
              "short or replaced by an older one, or a later one is missing; {}",
              directory, last_sequence, mark.sequence,
              logs.last_log.empty() ? "of which there is none" : logs.last_log, kAdvice);
}

MarkKeeper::MarkKeeper(rocksdb::FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

MarkKeeper::~MarkKeeper() = default;

Result<void> MarkKeeper::make() {
  if (auto made = write_mark(files_, directory_, mark_); !made) return made;
  const std::string path = directory_ + std::string(kMarkFile);
  const auto status = files_.NewRandomRWFile(path, rocksdb::FileOptions(), &file_, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot open", path, status));
  return {};
}

Result<void> MarkKeeper::begin(rocksdb::DB& db) {
  const std::scoped_lock lock(mutex_);
  mark_.sequence = db.GetLatestSequenceNumber();
  note_manifest(db);
  return make();
}

Result<void> MarkKeeper::acknowledge(std::uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  mark_.sequence = std::max(mark_.sequence, sequence);
  return write();
}

Result<void> MarkKeeper::write() {
  const auto status = file_->Write(0, encode(mark_), rocksdb::IOOptions(), nullptr);
  if (status.ok()) return {};
  return std::unexpected(file_error("cannot write", directory_ + std::string(kMarkFile), status));
}

// RocksDB has synced the manifest as far as it says it is long.
void MarkKeeper::note_manifest(rocksdb::DB& db) {
  std::vector<std::string> live;
  std::uint64_t bytes = 0;
  if (!db.GetLiveFiles(live, &bytes, false).ok()) return;
  for (const std::string& file : live) {
    const auto number = manifest_number(std::string_view(file).substr(1));
    if (!number || *number < mark_.manifest) continue;
    mark_.manifest_bytes =
        *number == mark_.manifest ? std::max(mark_.manifest_bytes, bytes) : bytes;
    mark_.manifest = *number;
  }
}

// A mark that is not written stays a weaker claim, so nothing follows from it here.
void MarkKeeper::OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) {
  const std::scoped_lock lock(mutex_);
  note_manifest(*db);
  if (file_ != nullptr) (void)write();
}

void MarkKeeper::OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo&) {
  const std::scoped_lock lock(mutex_);
  note_manifest(*db);
  if (file_ != nullptr) (void)write();
}

}  // namespace skald::rocks
