// Two payloads line by line, for people who change one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skald::api {

/// "  same", "- before", "+ after": JSON is laid out with sorted keys, one member a line; anything
/// else is one line. Empty where both are equal. Beyond kDiffLinesMax lines all of `before` is
/// taken away and all of `after` added.
[[nodiscard]] std::vector<std::string> payload_diff(std::string_view before,
                                                    std::string_view after);
inline constexpr std::size_t kDiffLinesMax = 1'000;

}  // namespace skald::api
