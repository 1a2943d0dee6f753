#include "engine/store/rocks_info_log.h"

#include <array>
#include <cstdio>

namespace skald::rocks {
namespace {

constexpr std::size_t kLineBytesMax = 1'024;  // of one message; the rest is cut off

}  // namespace

void InfoLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) {
  if (level < GetInfoLogLevel()) return;
  std::array<char, kLineBytesMax> text{};
  const int size = std::vsnprintf(text.data(), text.size(), format, values);
  if (size > 0) log_.warn("rocksdb message=\"{}\"", text.data());
}

}  // namespace skald::rocks
