// Groups of stuck sagas as text for people.
#pragma once

#include <cstdint>
#include <string>

#include "skald/v1/service.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

/// A line for each group, below it what failed, and the commands that show its sagas and an
/// example. `now_ms`: for ages, unix milliseconds.
[[nodiscard]] std::string groups_text(const Terminal& terminal,
                                      const v1::StuckGroupsResponse& groups, v1::GroupBy::Value by,
                                      std::int64_t now_ms);

/// What the group is called: its cause, step or participant.
[[nodiscard]] std::string group_name(const v1::FailureGroup& group, v1::GroupBy::Value by);

/// The text as one word for a shell.
[[nodiscard]] std::string shell_quoted(std::string_view text);

}  // namespace skald::ctl
