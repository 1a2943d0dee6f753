#include "tools/skaldctl/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace skald::ctl {
namespace {

bool is_nested(const VerbWords& verb) { return verb.verb.find(' ') != verb.verb.npos; }

/// "show" of "definitions show".
std::string last_word(const VerbWords& verb) { return verb.verb.substr(verb.verb.rfind(' ') + 1); }

std::string top_words(const std::vector<VerbWords>& verbs) {
  std::vector<std::string> words;
  for (const VerbWords& verb : verbs) {
    if (!is_nested(verb)) words.push_back(verb.verb);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

/// The words that may follow a verb: its flags, or the verbs below it.
std::string words_after(const VerbWords& verb, const std::vector<VerbWords>& verbs) {
  std::vector<std::string> words;
  for (const VerbWords& other : verbs) {
    if (other.verb.starts_with(verb.verb + " ")) words.push_back(last_word(other));
  }
  words.insert(words.end(), verb.flags.begin(), verb.flags.end());
  return fmt::format("{}", fmt::join(words, " "));
}

/// Verbs that have verbs below them.
std::string groups(const std::vector<VerbWords>& verbs) {
  std::vector<std::string> words;
  for (const VerbWords& verb : verbs) {
    const std::string parent = verb.verb.substr(0, verb.verb.rfind(' '));
    if (is_nested(verb) && (words.empty() || words.back() != parent)) words.push_back(parent);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash_script(const std::vector<VerbWords>& verbs) {
  std::string cases;
  for (const VerbWords& verb : verbs) {
    const std::string pattern = is_nested(verb) ? fmt::format("\"{}\"", verb.verb)
                                                : fmt::format("{0}|\"{0} \"*", verb.verb);
    // Longer patterns come first, so that "definitions show" is not taken for "definitions".
    const std::string line = fmt::format("    {}) words=\"{}\"; live=\"{}\" ;;\n", pattern,
                                         words_after(verb, verbs), verb.live);
    cases = is_nested(verb) ? line + cases : cases + line;
  }
  return fmt::format(
      "# bash completion of skaldctl:  source <(skaldctl completion bash)\n"
      "_skaldctl() {{\n"
      "  local words live=\"\" verb=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    [[ ${{COMP_WORDS[i]}} == -* ]] && continue\n"
      "    verb=\"${{verb:+$verb }}${{COMP_WORDS[i]}}\"\n"
      "    [[ \" {} \" == *\" $verb \"* ]] || break\n"
      "  done\n"
      "  case \"$verb\" in\n"
      "{}"
      "    *) words=\"{}\" ;;\n"
      "  esac\n"
      "  # Ids are asked for where no flag is being typed; the server is SKALD_SERVER's.\n"
      "  if [[ -n $live && ${{COMP_WORDS[COMP_CWORD]}} != -* ]]; then\n"
      "    words=\"$words $(skaldctl $live --timeout 1s 2>/dev/null)\"\n"
      "  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")\n"
      "}}\n"
      "complete -F _skaldctl skaldctl\n",
      groups(verbs), cases, top_words(verbs));
}

std::string zsh_script(const std::vector<VerbWords>& verbs) {
  return "#compdef skaldctl\n# zsh completion of skaldctl:  source <(skaldctl completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(verbs);
}

std::string fish_script(const std::vector<VerbWords>& verbs) {
  std::string out =
      "# fish completion of skaldctl:  skaldctl completion fish | source\n"
      "complete -c skaldctl -f\n";
  for (const VerbWords& verb : verbs) {
    const std::string parent = verb.verb.substr(0, verb.verb.rfind(' '));
    const std::string when = is_nested(verb) ? fmt::format("__fish_seen_subcommand_from {}", parent)
                                             : "__fish_use_subcommand";
    out += fmt::format("complete -c skaldctl -n '{}' -a {} -d \"{}\"\n", when, last_word(verb),
                       verb.help);
    if (!verb.live.empty()) {
      out += fmt::format(
          "complete -c skaldctl -n '__fish_seen_subcommand_from {}' -a '(skaldctl {} "
          "2>/dev/null)'\n",
          last_word(verb), verb.live);
    }
    for (const std::string& flag : verb.flags) {
      out += fmt::format("complete -c skaldctl -n '__fish_seen_subcommand_from {}' -l {}\n",
                         last_word(verb), flag.substr(2));
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell,
                                             const std::vector<VerbWords>& verbs) {
  if (shell == "bash") return bash_script(verbs);
  if (shell == "zsh") return zsh_script(verbs);
  if (shell == "fish") return fish_script(verbs);
  return std::nullopt;
}

}  // namespace skald::ctl
