#include "tools/skaldctl/cli_man.h"

#include <fmt/format.h>

#include "engine/base/roff.h"
#include "engine/base/version.h"
#include "tools/skaldctl/exit_codes.h"

namespace skald::ctl {
namespace {

std::string option_text(const CLI::Option& option) {
  const bool positional = option.get_lnames().empty() && option.get_snames().empty();
  std::string names = positional ? option.get_name(true) : option.get_name();
  for (std::size_t comma = names.find(','); comma != names.npos; comma = names.find(',', comma)) {
    names.replace(comma, 1, ", ");
    comma += 2;
  }
  const bool valued = !positional && option.get_expected_max() > 0;
  std::string text = option.get_description();
  if (option.get_required()) text += " (required)";
  if (!option.get_default_str().empty()) {
    text += fmt::format(" (default: {})", option.get_default_str());
  }
  return roff_item({.tag = names, .value = valued ? option.get_type_name() : "", .text = text});
}

std::string options_text(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option != app.get_help_ptr()) text += option_text(*option);
  }
  return text;
}

std::string verb_text(const CLI::App& verb, const std::string& parent) {
  const std::string name = parent + verb.get_name();
  const auto below = verb.get_subcommands([](const CLI::App*) { return true; });
  std::string text;
  const bool takes = verb.get_require_subcommand_min() == 0;  // it does something by itself
  if (takes) {
    text = fmt::format(".SS {}\n{}\n{}", roff_text(name), roff_text(verb.get_description()),
                       options_text(verb));
  }
  for (const CLI::App* sub : below) text += verb_text(*sub, name + " ");
  return text;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string text = fmt::format(
      ".TH SKALDCTL 1 \"\" \"Skald {}\" \"Skald\"\n"
      ".SH NAME\nskaldctl \\- talks to skaldd, the saga orchestrator\n"
      ".SH SYNOPSIS\n.B skaldctl\n[\\fIflags\\fR] \\fIverb\\fR [\\fIarguments\\fR]\n"
      ".SH DESCRIPTION\nData goes to standard output, everything else to standard error. What "
      "cannot be taken back is asked for; where nobody can answer it is refused unless \\-\\-yes "
      "is given.\n.SH FLAGS\nThey may also follow the verb.\n{}.SH VERBS\n",
      kVersion, options_text(app));
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    text += verb_text(*verb, "");
  }
  text += ".SH EXIT STATUS\n.nf\n" + roff_text(kExitCodesHelp) + "\n.fi\n";
  text +=
      ".SH ENVIRONMENT\n.TP\n.B SKALD_SERVER\naddress of skaldd\n"
      ".TP\n.B NO_COLOR\nno colour\n"
      ".SH SEE ALSO\n.B skaldctl completion\n";
  return text;
}

}  // namespace skald::ctl
