// The manual page, made from the verbs and flags that the command line has.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace skald::ctl {

/// roff with the man macros; `man -l -` shows it.
[[nodiscard]] std::string man_page(const CLI::App& app);

}  // namespace skald::ctl
