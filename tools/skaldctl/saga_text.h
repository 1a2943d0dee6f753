// Sagas, answers, lists and histories as text for people.
#pragma once

#include <string>

#include "skald/v1/service.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

/// Head, timeline, explanation. `wide`: every attempt as well.
[[nodiscard]] std::string saga_text(const Terminal& terminal, const v1::Saga& saga, bool wide);
/// Only why, what is next, and what may be asked.
[[nodiscard]] std::string explanation_text(const Terminal& terminal, const v1::Saga& saga);
[[nodiscard]] std::string answer_text(const Terminal& terminal, const v1::SagaAnswer& answer);
/// `now_ms`: for ages, unix milliseconds.
[[nodiscard]] std::string list_text(const Terminal& terminal, const v1::ListResponse& list,
                                    std::int64_t now_ms, bool wide);
[[nodiscard]] std::string history_text(const Terminal& terminal,
                                       const v1::HistoryResponse& history);

}  // namespace skald::ctl
