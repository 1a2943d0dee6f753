// Webhooks: who is told of alerts and how that goes, and a test of them.
#pragma once

#include <string>

#include "tools/skaldctl/verbs.h"

namespace skald::ctl {

[[nodiscard]] Exit alerts(Session& session);
/// Tests one webhook (empty: each) and says what it answered. Server: none took it; partly: some.
[[nodiscard]] Exit alerts_test(Session& session, const std::string& webhook);

}  // namespace skald::ctl
