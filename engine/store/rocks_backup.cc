// Checks and copies of a store. A copy is RocksDB's checkpoint: tables are linked or copied, and
// what is in memory is written to tables first, and commits wait meanwhile, so that nothing is in a
// log that is linked while it grows. Tables that are links share their blocks with ours: only a
// copy on another file system outlives a disk.
#include <fcntl.h>
#include <rocksdb/utilities/checkpoint.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "engine/store/rocks_check.h"
#include "engine/store/rocks_manifest_check.h"
#include "engine/store/rocks_store.h"
#include "engine/store/rocks_table_check.h"

namespace skald {
namespace {

namespace fs = std::filesystem;

Error cannot(std::string_view what, const std::string& path, const std::string& why) {
  return {Errc::unavailable, fmt::format("cannot {} {}: {}", what, path, why)};
}

Result<void> sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return std::unexpected(cannot("open", path, std::system_category().message(errno)));
  }
  const int failed = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (failed == 0) return {};
  return std::unexpected(cannot("sync", path, std::system_category().message(failed)));
}

/// Every file, the directory, and its place in the one above.
Result<void> sync_all(const std::string& directory) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    if (auto synced = sync(entry.path().string()); !synced) return synced;
  }
  if (failed) return std::unexpected(cannot("list", directory, failed.message()));
  if (auto synced = sync(directory); !synced) return synced;
  return sync((fs::path(directory) / "..").string());
}

}  // namespace

Result<CheckReport> RocksStore::check(const CheckOptions& options) {
  const rocks::Snapshot snapshot(*db_);
  return rocks::check_rows({.db = *db_,
                            .families = families_,
                            .directory = options_.directory,
                            .at = snapshot.options()},
                           options);
}

Result<CheckReport> RocksStore::check_closed(RocksOptions options, const CheckOptions& check) {
  std::error_code unreadable;
  if (!fs::exists(options.directory + "/CURRENT", unreadable)) {
    return fail(Errc::not_found, "{} holds no store", options.directory);
  }
  RocksStore store(std::move(options));
  auto lock = DirectoryLock::take(store.options_.directory);
  if (!lock) return std::unexpected(lock.error());
  store.lock_ = std::move(*lock);
  if (auto done = store.check_files(); !done) return std::unexpected(done.error());
  if (auto done = store.open_read_only(); !done) return std::unexpected(done.error());
  if (store.mark_found_) {
    const auto reached =
        rocks::check_reaches(*store.mark_found_, store.db_->GetLatestSequenceNumber(),
                             store.log_check_, store.options_.directory);
    if (!reached) return std::unexpected(reached.error());
  }
  return rocks::check_rows({.db = *store.db_,
                            .families = store.families_,
                            .directory = store.options_.directory,
                            .at = {}},
                           check);
}

// A table that a compaction takes away meanwhile is no table that is damaged.
Result<std::optional<ScannedFile>> RocksStore::scan_after(std::string_view after) {
  const auto next = [this](std::string_view behind) {
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    std::erase_if(files, [behind](const auto& file) { return file.relative_filename <= behind; });
    const auto first =
        std::ranges::min_element(files, {}, &rocksdb::FileStorageInfo::relative_filename);
    return first == files.end()
               ? std::nullopt
               : std::optional(ScannedFile{.name = first->relative_filename, .bytes = first->size});
  };
  rocksdb::Env* env = options_.env != nullptr ? options_.env : rocksdb::Env::Default();
  std::string done(after);
  while (auto file = next(done)) {
    const auto status = rocks::check_table(options_.directory + "/" + file->name, env);
    if (status.ok()) return file;
    const auto again = next(done);
    if (again && again->name == file->name) {
      return std::unexpected(reader_->failed(file->name, status));
    }
    done = file->name;
  }
  return std::nullopt;
}

Result<void> RocksStore::copy_to(const std::string& directory) {
  rocksdb::Checkpoint* made = nullptr;
  const auto created = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (!created.ok()) return std::unexpected(cannot("copy to", directory, created.ToString()));
  // Most of what is in memory is written before commits have to wait.
  const auto flushed = db_->Flush(rocksdb::FlushOptions(), {families_.rows, families_.events});
  if (!flushed.ok()) return std::unexpected(cannot("copy to", directory, flushed.ToString()));
  rocks::Mark mark;
  {
    const std::scoped_lock lock(writing_);
    if (auto may = health_->may_write(); !may) return may;
    const auto copied = checkpoint->CreateCheckpoint(directory, 0, &mark.sequence);
    if (!copied.ok()) return std::unexpected(cannot("copy to", directory, copied.ToString()));
    mark.sequence = db_->GetLatestSequenceNumber();
  }
  // What the copy holds is as acknowledged as what it was made from.
  rocksdb::Env* env = options_.env != nullptr ? options_.env : rocksdb::Env::Default();
  const auto manifest = rocks::check_manifest(*env->GetFileSystem(), directory);
  if (!manifest) return std::unexpected(manifest.error());
  if (!*manifest) return std::unexpected(cannot("copy to", directory, "it has no manifest"));
  mark.manifest = (*manifest)->number;
  mark.manifest_bytes = (*manifest)->end;
  if (auto marked = rocks::write_mark(*env->GetFileSystem(), directory, mark); !marked) {
    return marked;
  }
  return sync_all(directory);
}

Result<CheckReport> RocksStore::back_up(const std::string& directory, const CheckOptions& options) {
  std::error_code unreadable;
  if (fs::exists(directory, unreadable) || unreadable) {
    return fail(Errc::already_exists, "{} is there already; a backup makes a directory of its own",
                directory);
  }
  if (auto copied = copy_to(directory); !copied) return std::unexpected(copied.error());
  options_.log.info("backed up directory={}; checking it", directory);
  return check_closed({.directory = directory, .env = options_.env, .log = options_.log}, options);
}

}  // namespace skald
