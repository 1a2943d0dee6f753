// Definitions for people: tables, and a Mermaid flowchart.
#pragma once

#include <string>

#include "skald/v1/definition.pb.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

/// `flowchart TD`: the way forward in solid arrows, compensations beside their actions in dotted
/// ones.
[[nodiscard]] std::string mermaid(const v1::DefinitionView& definition);

/// The steps in a table; `wide` adds paths, timeouts and retries.
[[nodiscard]] std::string definition_table(const Terminal& terminal,
                                           const v1::DefinitionView& definition, bool wide);

}  // namespace skald::ctl
