// The manual page skaldd(8), made from the flags and settings that the program has.
#pragma once

#include <string>
#include <vector>

namespace skald::server {

/// A flag as the command line knows it.
struct FlagText {
  std::string name;   // "--webhook"
  std::string value;  // "NAME=URL"; empty: a switch
  std::string help;
};

/// roff with the man macros; `man -l -` shows it. `flags` are those that are no setting.
[[nodiscard]] std::string man_page(const std::vector<FlagText>& flags);

}  // namespace skald::server
