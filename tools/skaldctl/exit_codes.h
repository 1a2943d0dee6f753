// What skaldctl ends with. Scripts depend on the numbers: never change them.
#pragma once

#include <string_view>

#include "engine/base/error.h"
#include "skald/v1/saga.pb.h"
#include "skald/v1/service.pb.h"

namespace skald::ctl {

enum class Exit : int {
  ok = 0,
  server = 1,  // the server or the way to it failed
  usage = 2,
  not_found = 3,
  not_allowed = 4,
  refused = 5,       // conflict, or not possible in this state
  declined = 6,      // the prompt was answered with no, or could not be asked
  partly = 7,        // some of several
  timed_out = 8,     // here; the saga goes on
  unsound = 9,       // doctor, backup, restore: something is wrong with the store
  compensated = 10,  // with --wait
  stuck = 11,        // with --wait
  abandoned = 12,    // with --wait
};

inline constexpr std::string_view kExitCodesHelp =
    "Exit codes: 0 ok, 1 server or transport, 2 usage, 3 not found, 4 not allowed,\n"
    "  5 conflict or refused, 6 declined, 7 partly failed, 8 timed out here,\n"
    "  9 something is wrong with the store; with --wait also 10 compensated,\n"
    "  11 stuck, 12 abandoned.";

[[nodiscard]] Exit exit_of(Errc code);

/// Of a saga that was waited for.
[[nodiscard]] Exit exit_of(const v1::SagaAnswer& answer, v1::WaitMode::Value waited_for);

/// What to do next after an error, in one sentence; empty: the message says it all.
[[nodiscard]] std::string_view hint_of(Errc code);

}  // namespace skald::ctl
