// Short words of the terminal: durations, times, states and their tones.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "skald/v1/saga.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

[[nodiscard]] std::int64_t unix_ms(const google::protobuf::Timestamp& time);
/// "340ms", "2.5s", "3m20s", "2h05m", "3d4h".
[[nodiscard]] std::string short_duration(std::int64_t ms);
/// "2026-11-22 12:45:03.120 UTC"
[[nodiscard]] std::string utc_time(std::int64_t unix_ms);
/// "10s", "500ms", "5m", "1h"; a bare number counts seconds. Errors: invalid_argument.
[[nodiscard]] Result<Millis> read_duration(std::string_view text);

[[nodiscard]] std::string status_word(v1::SagaStatus::Value status);
[[nodiscard]] Tone status_tone(v1::SagaStatus::Value status);
/// "not executed" for not_executed.
[[nodiscard]] std::string outcome_word(v1::OutcomeKind::Value kind);
/// "use_coupon rejected (coupon_used: ...)"
[[nodiscard]] std::string failure_line(const v1::Failure& failure);
/// The same of a failure's class: "deduct_stock compensation rejected (locked: sku # ...)"
[[nodiscard]] std::string failure_line(const v1::FailureClass& failure);

}  // namespace skald::ctl
