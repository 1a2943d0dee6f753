// A saga drawn against time: one row per leg, its attempts as bars, its compensation on the same
// row, pointing the other way.
#pragma once

#include <string>

#include "skald/v1/saga.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

inline constexpr int kRowsOfStepMax = 12;  // legs of one step that get a row; the rest are counted

/// Needs a saga that was asked for with attempts. Fits the terminal's width.
[[nodiscard]] std::string draw_timeline(const Terminal& terminal, const v1::Saga& saga);

}  // namespace skald::ctl
