// The form of RocksDB's logs, its manifests among them: blocks of 32 KiB, each a row of physical
// records: masked CRC-32C (4), length (2), type (1), for recycled logs also the log's number (4),
// then the payload. One logical record is one FULL record, or FIRST, MIDDLE..., LAST over several
// blocks. What the records mean is in rocks_log_check.h and rocks_manifest_check.h. Source: rocksdb
// 7.8.3, db/log_format.h, db/log_reader.cc.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace rocksdb {
class FileSystem;
class FSSequentialFile;
class IOStatus;
}  // namespace rocksdb

namespace skald::rocks {

inline constexpr std::size_t kBlockSize = 32 * 1024;
inline constexpr std::size_t kHeaderSize = 7;

enum class PhysicalType : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };

struct Physical {
  PhysicalType type = PhysicalType::zero;
  std::string_view payload;
  std::size_t size = 0;  // with its header
};

/// The physical record at the front of `block`, or what is wrong with it.
[[nodiscard]] std::expected<Physical, std::string_view> read_physical(std::string_view block);

template <class Number>
[[nodiscard]] Number little_endian(std::string_view bytes) {
  Number value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    value = static_cast<Number>((value << 8) | static_cast<unsigned char>(bytes[i]));
  }
  return value;
}

/// unavailable: what could not be done to which file, and why.
[[nodiscard]] Error file_error(std::string_view what, const std::string& path,
                               const rocksdb::IOStatus& status);

/// A log, block by block.
class LogFile {
 public:
  [[nodiscard]] static Result<LogFile> open(rocksdb::FileSystem& files, std::string path);
  LogFile(LogFile&&) noexcept;
  ~LogFile();

  /// The next block, shorter at the end of the file; empty behind it.
  [[nodiscard]] Result<std::string_view> next();
  [[nodiscard]] std::uint64_t offset() const { return offset_; }  // of the block read last
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  LogFile(std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file);

  std::string path_;
  std::unique_ptr<rocksdb::FSSequentialFile> file_;
  std::string block_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace skald::rocks
