#include "engine/store/rocks_log_check.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/hash.h"

namespace skald::rocks {
namespace {

constexpr std::size_t kBlockSize = 32 * 1024;
constexpr std::size_t kHeaderSize = 7;
constexpr std::size_t kRecycledHeaderSize = 11;
constexpr std::size_t kWriteHeaderSize = 12;  // sequence number, count
constexpr std::string_view kLogSuffix = ".log";
constexpr std::uint32_t kCrcMaskDelta = 0xA282EAD8U;

// Types of physical records. Source: db/log_format.h.
enum class Type : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };
constexpr std::uint8_t kRecycledShift = 4;  // 5..8: the same four, with the longer header
constexpr std::uint8_t kTypeMax = 8;        // 9, compression, is never switched on

template <class Number>
Number little_endian(std::string_view bytes) {
  Number value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    value = static_cast<Number>((value << 8) | static_cast<unsigned char>(bytes[i]));
  }
  return value;
}

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kCrcMaskDelta; }

struct Physical {
  Type type = Type::zero;
  std::string_view payload;
  std::size_t size = 0;  // with its header
};

// Reads the physical record at the front of `block`, or says what is wrong with it.
std::expected<Physical, std::string_view> read_physical(std::string_view block) {
  if (block.size() < kHeaderSize) return std::unexpected("its header is cut short");
  const auto length = little_endian<std::uint16_t>(block.substr(4));
  const auto raw = static_cast<std::uint8_t>(block[6]);
  if (raw == 0 || raw > kTypeMax) {
    return std::unexpected(raw == 0 ? "zeros stand where a record should" : "its type is unknown");
  }
  const bool recycled = raw > kRecycledShift;
  const std::size_t header = recycled ? kRecycledHeaderSize : kHeaderSize;
  if (header + length > block.size()) return std::unexpected("it goes past the end of its block");
  const std::string_view covered = block.substr(6, header - 6 + length);  // from the type on
  if (masked(crc32c(covered)) != little_endian<std::uint32_t>(block)) {
    return std::unexpected("its checksum is wrong");
  }
  return Physical{.type = static_cast<Type>(recycled ? raw - kRecycledShift : raw),
                  .payload = block.substr(header, length),
                  .size = header + length};
}

Error file_error(std::string_view what, const std::string& path, const rocksdb::IOStatus& status) {
  return {Errc::unavailable, fmt::format("{} {}: {}", what, path, status.ToString())};
}

// A log, block by block.
class LogFile {
 public:
  static Result<LogFile> open(rocksdb::FileSystem& files, std::string path) {
    LogFile log;
    log.path_ = std::move(path);
    auto status = files.NewSequentialFile(log.path_, rocksdb::FileOptions(), &log.file_, nullptr);
    if (!status.ok()) return std::unexpected(file_error("cannot open log", log.path_, status));
    log.block_.resize(kBlockSize);
    return log;
  }

  /// The next block, shorter at the end of the file; empty behind it.
  Result<std::string_view> next() {
    std::size_t have = 0;
    while (have < kBlockSize) {
      rocksdb::Slice got;
      const auto status =
          file_->Read(kBlockSize - have, rocksdb::IOOptions(), &got, block_.data() + have, nullptr);
      if (!status.ok()) return std::unexpected(file_error("cannot read log", path_, status));
      if (got.empty()) break;
      if (got.data() != block_.data() + have) {
        std::copy_n(got.data(), got.size(), block_.data() + have);
      }
      have += got.size();
    }
    offset_ = end_;
    end_ += have;
    return std::string_view(block_).substr(0, have);
  }

  [[nodiscard]] std::uint64_t offset() const { return offset_; }  // of the block read last
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::string path_;
  std::unique_ptr<rocksdb::FSSequentialFile> file_;
  std::string block_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_ = 0;
};

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

Result<void> sync_directory(rocksdb::FileSystem& files, const std::string& directory) {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  const rocksdb::IOOptions io;
  auto status = files.NewDirectory(directory, io, &opened, nullptr);
  if (status.ok()) status = opened->Fsync(io, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot sync", directory, status));
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
