#include "engine/store/rocks_log_format.h"

#include <rocksdb/file_system.h>

#include <algorithm>

#include "engine/base/hash.h"

namespace skald::rocks {
namespace {

constexpr std::size_t kRecycledHeaderSize = 11;
constexpr std::uint32_t kCrcMaskDelta = 0xA282EAD8U;
constexpr std::uint8_t kRecycledShift = 4;  // 5..8: the same four, with the longer header
constexpr std::uint8_t kTypeMax = 8;        // 9, compression, is never switched on

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kCrcMaskDelta; }

}  // namespace

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
  return Physical{.type = static_cast<PhysicalType>(recycled ? raw - kRecycledShift : raw),
                  .payload = block.substr(header, length),
                  .size = header + length};
}

Error file_error(std::string_view what, const std::string& path, const rocksdb::IOStatus& status) {
  return {Errc::unavailable, fmt::format("{} {}: {}", what, path, status.ToString())};
}

LogFile::LogFile(std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file)
    : path_(std::move(path)), file_(std::move(file)), block_(kBlockSize, '\0') {}
LogFile::LogFile(LogFile&&) noexcept = default;
LogFile::~LogFile() = default;

Result<LogFile> LogFile::open(rocksdb::FileSystem& files, std::string path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  const auto status = files.NewSequentialFile(path, rocksdb::FileOptions(), &file, nullptr);
  if (!status.ok()) return std::unexpected(file_error("cannot open", path, status));
  return LogFile(std::move(path), std::move(file));
}

Result<std::string_view> LogFile::next() {
  std::size_t have = 0;
  while (have < kBlockSize) {
    rocksdb::Slice got;
    const auto status =
        file_->Read(kBlockSize - have, rocksdb::IOOptions(), &got, block_.data() + have, nullptr);
    if (!status.ok()) return std::unexpected(file_error("cannot read", path_, status));
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

}  // namespace skald::rocks
