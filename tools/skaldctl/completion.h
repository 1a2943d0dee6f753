// Shell completion scripts, made from the verbs and flags that the command line has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skald::ctl {

struct VerbWords {
  std::string verb;  // "submit", "definitions show"
  std::string help;
  std::vector<std::string> flags;  // "--key"
  std::string live;  // what skaldctl is asked for words that may follow: "list -o name"
};

/// nullopt: not one of bash, zsh, fish.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell,
                                                           const std::vector<VerbWords>& verbs);

}  // namespace skald::ctl
