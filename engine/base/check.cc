#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace skald::detail {

void check_failed(std::string_view expression, std::string_view file, int line,
                  std::string_view detail) {
  std::string text = fmt::format("check failed at {}:{}: {}", file, line, expression);
  if (!detail.empty()) text += fmt::format(" ({})", detail);
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(nullptr);
  std::abort();
}

}  // namespace skald::detail
