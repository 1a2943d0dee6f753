#include "engine/store/rocks_log_check.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "engine/store/rocks_log_format.h"

namespace skald::rocks {
namespace {

constexpr std::size_t kWriteHeaderSize = 12;  // sequence number, count
constexpr std::string_view kLogSuffix = ".log";

using Type = PhysicalType;

struct Damage {
  std::uint64_t at = 0;     // of the physical record that is wrong
  std::uint64_t write = 0;  // where the write it belongs to begins
  std::string_view reason;
  bool may_be_torn = true;  // false: what is wrong is no effect of an unfinished write
};

// Follows the writes of one log and of those behind it.
class WriteReader {
 public:
  explicit WriteReader(std::uint64_t next_sequence) : next_sequence_(next_sequence) {}

  /// Takes one whole physical record. An answer: what is wrong with its write.
  std::optional<std::string_view> take(const Physical& record, std::uint64_t at) {
    const bool begins = record.type == Type::full || record.type == Type::first;
    if (begins == inside_) {
      return begins ? "the write before it has no end" : "its write has no beginning";
    }
    if (begins) {
      begin_ = at;
      header_.clear();
    }
    header_.append(record.payload.substr(0, kWriteHeaderSize - header_.size()));
    inside_ = record.type == Type::first || record.type == Type::middle;
    return inside_ ? std::nullopt : finish();
  }

  [[nodiscard]] bool inside() const { return inside_; }
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t next_sequence() const { return next_sequence_; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] std::uint64_t updates() const { return updates_; }

 private:
  std::optional<std::string_view> finish() {
    if (header_.size() < kWriteHeaderSize) return "its write is too short to be one";
    const auto sequence = little_endian<std::uint64_t>(header_);
    const auto count = little_endian<std::uint32_t>(std::string_view(header_).substr(8));
    if (sequence < next_sequence_) return "its sequence number was used before";
    // The first write of a log may leave a gap to an older log: RocksDB itself, which knows from
    // its manifest which logs must be there and how long they are, checks that.
    if (writes_ != 0 && sequence != next_sequence_) return "writes before it are missing";
    next_sequence_ = sequence + count;
    updates_ += count;
    ++writes_;
    return std::nullopt;
  }

  std::uint64_t next_sequence_;  // of the write to come, at least
  std::uint64_t writes_ = 0;
  std::uint64_t updates_ = 0;
  std::uint64_t begin_ = 0;
  bool inside_ = false;
  std::string header_;
};

// Whether a later write begins anywhere in these bytes. Damage may have hit a length, so every
// offset is tried; the sequence number keeps bytes that a payload happens to hold from passing for
// a write.
bool write_begins_in(std::string_view block, std::uint64_t next_sequence) {
  for (; block.size() >= kHeaderSize + kWriteHeaderSize; block.remove_prefix(1)) {
    const auto record = read_physical(block);
    if (!record || (record->type != Type::full && record->type != Type::first)) continue;
    if (record->payload.size() < kWriteHeaderSize) continue;
    if (little_endian<std::uint64_t>(record->payload) > next_sequence) return true;
  }
  return false;
}

struct OneLog {
  std::uint64_t next_sequence = 0;
  std::uint64_t writes = 0;
  std::uint64_t updates = 0;
  std::uint64_t size = 0;
  std::optional<Damage> damage;
  bool writes_follow = false;  // behind the damage
};

// Looks behind the damage for the beginning of a later write, and to the end of the file for its
// size.
Result<void> look_behind(LogFile& log, std::string_view block, OneLog& found) {
  const std::size_t from = found.damage->write >= log.offset()
                               ? static_cast<std::size_t>(found.damage->write - log.offset()) + 1
                               : 0;
  std::string_view rest = block.substr(std::min(from, block.size()));
  while (!block.empty()) {
    found.writes_follow = found.writes_follow || write_begins_in(rest, found.next_sequence);
    const auto next = log.next();
    if (!next) return std::unexpected(next.error());
    block = rest = *next;
  }
  found.size = log.end();
  return {};
}

// What is wrong with the record at `block`, which stands at `offset` of its log; nothing: it is
// whole, has been taken, and is `size` bytes long.
std::optional<Damage> read_record(std::string_view block, std::uint64_t offset, WriteReader& writes,
                                  std::size_t& size) {
  const auto record = read_physical(block);
  if (!record) {
    return Damage{
        .at = offset, .write = writes.inside() ? writes.begin() : offset, .reason = record.error()};
  }
  size = record->size;
  const auto wrong = writes.take(*record, offset);
  if (!wrong) return std::nullopt;
  return Damage{.at = offset, .write = offset, .reason = *wrong, .may_be_torn = false};
}

Result<OneLog> read_log(LogFile& log, std::uint64_t next_sequence) {
  WriteReader writes(next_sequence);
  OneLog found;
  std::string_view block;
  do {
    const auto next = log.next();
    if (!next) return std::unexpected(next.error());
    block = *next;
    // The last bytes of a full block are too few for a header, and mean nothing.
    for (std::size_t at = 0; at < block.size() && kBlockSize - at >= kHeaderSize;) {
      std::size_t size = 0;
      found.damage = read_record(block.substr(at), log.offset() + at, writes, size);
      if (found.damage) break;
      at += size;
    }
  } while (block.size() == kBlockSize && !found.damage);
  found.next_sequence = writes.next_sequence();
  found.writes = writes.writes();
  found.updates = writes.updates();
  found.size = log.end();
  if (found.damage) {
    if (auto looked = look_behind(log, block, found); !looked) {
      return std::unexpected(looked.error());
    }
  } else if (writes.inside()) {
    found.damage =
        Damage{.at = found.size, .write = writes.begin(), .reason = "the file ends within a write"};
  }
  return found;
}

// The logs' names in the order of their numbers.
Result<std::vector<std::string>> log_names(rocksdb::FileSystem& files,
                                           const std::string& directory) {
  std::vector<std::string> all;
  const auto status = files.GetChildren(directory, rocksdb::IOOptions(), &all, nullptr);
  if (status.IsNotFound() || status.IsPathNotFound()) return std::vector<std::string>{};
  if (!status.ok()) return std::unexpected(file_error("cannot list", directory, status));
  std::vector<std::pair<std::uint64_t, std::string>> numbered;
  for (std::string& file : all) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), number);
    const std::string_view suffix(end, file.data() + file.size());
    if (error == std::errc{} && suffix == kLogSuffix)
      numbered.emplace_back(number, std::move(file));
  }
  std::ranges::sort(numbered);
  std::vector<std::string> names;
  for (auto& [number, file] : numbered) names.push_back(std::move(file));
  return names;
}

}  // namespace

Result<LogCheck> check_logs(rocksdb::FileSystem& files, const std::string& directory) {
  const auto names = log_names(files, directory);
  if (!names) return std::unexpected(names.error());
  LogCheck check{.logs = names->size()};
  std::uint64_t next_sequence = 0;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    auto log = LogFile::open(files, path);
    if (!log) return std::unexpected(log.error());
    const auto found = read_log(*log, next_sequence);
    if (!found) return std::unexpected(found.error());
    next_sequence = found->next_sequence;
    check.writes += found->writes;
    check.updates += found->updates;
    check.bytes += found->size;
    check.next_sequence = found->writes != 0 ? next_sequence : check.next_sequence;
    check.last_log = name;
    check.last_log_writes = found->writes;
    if (!found->damage) continue;
    const Damage& damage = *found->damage;
    const bool last = &name == &names->back();
    if (!last || found->writes_follow || !damage.may_be_torn) {
      return fail(
          Errc::data_loss,
          "log {} is damaged at offset {}: {}. This is no torn tail of the last write{}, so "
          "acknowledged writes may be lost: restore the file from a copy",
          path, damage.at, damage.reason,
          !last ? " (later logs follow)" : (found->writes_follow ? " (later writes follow)" : ""));
    }
    check.torn = TornTail{.log = name,
                          .offset = damage.write,
                          .size = found->size - damage.write,
                          .reason = std::string(damage.reason)};
  }
  return check;
}

}  // namespace skald::rocks
