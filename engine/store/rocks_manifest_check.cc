#include "engine/store/rocks_manifest_check.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "engine/store/rocks_log_format.h"

namespace skald::rocks {
namespace {

constexpr std::string_view kCurrent = "CURRENT";
constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::string_view kTableSuffix = ".sst";

bool is_missing(const rocksdb::IOStatus& status) {
  return status.IsNotFound() || status.IsPathNotFound();
}

// A directory that has tables had a CURRENT.
Result<void> check_new(rocksdb::FileSystem& files, const std::string& directory) {
  std::vector<std::string> all;
  const auto status = files.GetChildren(directory, rocksdb::IOOptions(), &all, nullptr);
  if (is_missing(status)) return {};
  if (!status.ok()) return std::unexpected(file_error("cannot list", directory, status));
  const auto table =
      std::ranges::find_if(all, [](const auto& file) { return file.ends_with(kTableSuffix); });
  if (table == all.end()) return {};
  return fail(Errc::data_loss,
              "{}/CURRENT is missing, but there are tables ({}): restore the directory from a copy",
              directory, *table);
}

// What CURRENT holds; nullopt: there is none.
Result<std::optional<std::string>> read_current(rocksdb::FileSystem& files,
                                                const std::string& path) {
  auto log = LogFile::open(files, path);
  if (!log) {
    const auto status = files.FileExists(path, rocksdb::IOOptions(), nullptr);
    if (is_missing(status)) return std::nullopt;
    return std::unexpected(log.error());
  }
  const auto text = log->next();
  if (!text) return std::unexpected(text.error());
  return std::string(*text);
}

// Follows the records of a manifest to the first that is not whole.
class ManifestReader {
 public:
  explicit ManifestReader(LogFile& log) : log_(log) {}

  Result<void> read() {
    std::string_view block;
    do {
      const auto next = log_.next();
      if (!next) return std::unexpected(next.error());
      block = *next;
      // The last bytes of a full block are too few for a header, and mean nothing.
      for (std::size_t at = 0; at < block.size() && kBlockSize - at >= kHeaderSize;) {
        const auto record = read_physical(block.substr(at));
        reason_ = record ? order(*record) : std::optional(record.error());
        if (reason_) return look_behind(block, at);
        at += record->size;
        inside_ = record->type == PhysicalType::first || record->type == PhysicalType::middle;
        if (!inside_) end_ = log_.offset() + at;
      }
    } while (block.size() == kBlockSize);
    if (inside_) reason_ = "the file ends within a record";
    bad_at_ = end_;
    return {};
  }

  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::uint64_t bad_at() const { return bad_at_; }
  [[nodiscard]] std::optional<std::string_view> reason() const { return reason_; }
  [[nodiscard]] bool records_follow() const { return records_follow_; }

 private:
  [[nodiscard]] std::optional<std::string_view> order(const Physical& record) const {
    const bool begins = record.type == PhysicalType::full || record.type == PhysicalType::first;
    if (begins != inside_) return std::nullopt;
    return begins ? "the record before it has no end" : "its record has no beginning";
  }

  // Looks behind the damage for a whole record. It may have hit a length, so every offset is tried.
  Result<void> look_behind(std::string_view block, std::size_t at) {
    bad_at_ = log_.offset() + at;
    std::string_view rest = block.substr(at + 1);
    while (!block.empty()) {
      for (; !rest.empty() && !records_follow_; rest.remove_prefix(1)) {
        const auto record = read_physical(rest);
        records_follow_ = record && !record->payload.empty();
      }
      const auto next = log_.next();
      if (!next) return std::unexpected(next.error());
      block = rest = *next;
    }
    return {};
  }

  LogFile& log_;
  std::uint64_t end_ = 0;
  std::uint64_t bad_at_ = 0;
  std::optional<std::string_view> reason_;
  bool records_follow_ = false;
  bool inside_ = false;
};

}  // namespace

std::optional<std::uint64_t> manifest_number(std::string_view name) {
  if (!name.starts_with(kManifestPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kManifestPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Result<std::optional<ManifestCheck>> check_manifest(rocksdb::FileSystem& files,
                                                    const std::string& directory) {
  const std::string current = directory + "/" + std::string(kCurrent);
  const auto text = read_current(files, current);
  if (!text) return std::unexpected(text.error());
  if (!*text) {
    if (auto fresh = check_new(files, directory); !fresh) return std::unexpected(fresh.error());
    return std::nullopt;
  }
  ManifestCheck check{.name = (*text)->substr(0, (*text)->find('\n'))};
  const auto number = manifest_number(check.name);
  if (!number || check.name.size() + 1 != (*text)->size()) {
    return fail(Errc::data_loss, "{} is damaged: it names no manifest; restore it from a copy",
                current);
  }
  check.number = *number;
  const std::string path = directory + "/" + check.name;
  if (is_missing(files.FileExists(path, rocksdb::IOOptions(), nullptr))) {
    return fail(Errc::data_loss, "{} names {}, which is missing: restore both from a copy", current,
                check.name);
  }
  auto log = LogFile::open(files, path);
  if (!log) return std::unexpected(log.error());
  ManifestReader reader(*log);
  if (auto read = reader.read(); !read) return std::unexpected(read.error());
  check.end = reader.end();
  if (!reader.reason()) return check;
  if (reader.records_follow() || check.end == 0) {
    return fail(Errc::data_loss,
                "manifest {} is damaged at offset {}: {}. This is no torn tail, so tables may be "
                "lost: restore the file from a copy",
                path, reader.bad_at(), *reader.reason());
  }
  check.torn = TornTail{.log = check.name,
                        .offset = check.end,
                        .size = log->end() - check.end,
                        .reason = std::string(*reader.reason())};
  return check;
}

}  // namespace skald::rocks
