// The updates of a write batch as text, for tests of bytes that must not change.
#pragma once

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <string>
#include <string_view>
#include <vector>

namespace skald::rocks {

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

/// Every update of a batch, as it goes to disk.
class Updates final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    lines.push_back("put " + hex(key.ToStringView()) + " = " + hex(value.ToStringView()));
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    lines.push_back("delete " + hex(key.ToStringView()));
    return rocksdb::Status::OK();
  }
  std::vector<std::string> lines;
};

}  // namespace skald::rocks
