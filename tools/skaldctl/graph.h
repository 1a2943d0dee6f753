// Definitions and sagas for people: tables, and Mermaid flowcharts.
#pragma once

#include <string>

#include "skald/v1/definition.pb.h"
#include "skald/v1/saga.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

/// `flowchart TD`: the way forward in solid arrows, compensations beside their actions in dotted
/// ones.
[[nodiscard]] std::string mermaid(const v1::DefinitionView& definition);

/// The same of one saga: each step with where it is, in colour. Needs its steps.
[[nodiscard]] std::string mermaid(const v1::Saga& saga);

/// The steps in a table; `wide` adds paths, timeouts and retries.
[[nodiscard]] std::string definition_table(const Terminal& terminal,
                                           const v1::DefinitionView& definition, bool wide);

}  // namespace skald::ctl
