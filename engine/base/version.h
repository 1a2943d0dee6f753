// The version of this source tree, as its programs report it.
#pragma once

#include <string_view>

namespace skald {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace skald
