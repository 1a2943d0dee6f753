#include "engine/server/man_page.h"

#include <fmt/format.h>

#include "engine/base/roff.h"
#include "engine/base/version.h"
#include "engine/server/config.h"
#include "engine/server/exit_codes.h"

namespace skald::server {
namespace {

constexpr std::string_view kIntroduction = R"(.SH NAME
skaldd \- runs sagas durably, and finishes or undoes each of them
.SH SYNOPSIS
.B skaldd \-\-data
\fIDIR\fR [\fIoptions\fR]
.br
.B skaldd \-\-data
\fIDIR\fR
.B \-\-check
.br
.B skaldd \-\-print\-config
|
.B \-\-man
|
.B \-\-version
.SH DESCRIPTION
The engine: it takes submissions on the address of its API, keeps every saga in the directory of
its data, calls the participants, and finishes each saga or undoes exactly what was done, however
often it is killed in between.
.PP
Once requests are answered it prints one line to standard output, "skaldd ready listen=ADDRESS
pid=PID"; the log goes to standard error and holds no payloads and no secrets. Beside the API it
serves /healthz, /readyz (when every open saga has been taken up again) and /metrics. One process
may have a directory at a time: a second one ends and names the first.
.PP
There is no authentication: an address other than loopback needs \-\-insecure\-listen.
.PP
A setting comes from the file, then the environment, then flags; the last one wins.
.B skaldd \-\-print\-config
shows each with where it comes from. A mistake in any of them is told, all at once, and nothing is
started.
)";

constexpr std::string_view kValues = R"(.PP
Durations are written 500ms, 30s, 5m, 12h, 7d; sizes 4096, 64KiB, 256MiB, 1GiB; a list has commas
between its items, in the file also YAML's brackets.
)";

struct Said {
  std::string_view tag;
  std::string_view text;
};

constexpr Said kSignals[]{
    {"SIGTERM, SIGINT",
     "The first drains: nothing new is begun, attempts in flight are answered for as long as "
     "drain_grace says, what became of them is written, and the process ends with 0. Open sagas go "
     "on when it is started again."},
    {"a second of them",
     "Stops at once. Nothing acknowledged is lost: attempts that had no answer yet are taken up as "
     "what may have happened, as after a crash or SIGKILL."},
    {"SIGPIPE", "Ignored."},
};

constexpr Said kFiles[]{
    {"DIR",
     "the directory of --data: a RocksDB database and what stands beside it. Nothing in it "
     "is to be edited, or copied while skaldd runs: `skaldctl backup` does that."},
    {"DIR/LOCK, DIR/holder", "held by the process that has the directory; its id"},
    {"DIR/acknowledged", "how far the log was acknowledged: what is missing below that is damage"},
    {"DIR/torn/", "ends of logs that a crash left half written, set aside and never read again"},
};

constexpr Said kVariables[]{
    {"SKALD_CONFIG", "the file of settings, as --config"},
    {"SKALD_*",
     "each setting has a name of its own, told above; a name that is no setting is "
     "warned of"},
};

template <std::size_t n>
std::string items(const Said (&list)[n]) {
  std::string text;
  for (const auto& [tag, said] : list) {
    text += roff_item({.tag = tag, .value = "", .text = said});
  }
  return text;
}

std::string setting_text(const Setting& setting) {
  std::string text = fmt::format("{}. In the file {}, in the environment {}.", setting.help,
                                 setting.key, environment_name(setting.key));
  const std::string value = setting.get(ServerConfig{});
  if (!value.empty()) text += fmt::format(" Default: {}.", value);
  return roff_item(
      {.tag = flag_names(setting), .value = is_switch(setting) ? "" : "VALUE", .text = text});
}

}  // namespace

std::string man_page(const std::vector<FlagText>& flags) {
  std::string page = fmt::format(".TH SKALDD 8 \"\" \"Skald {}\" \"Skald\"\n", kVersion);
  page += kIntroduction;
  page += ".SH OPTIONS\n";
  for (const auto& [name, value, help] : flags) {
    page += roff_item({.tag = name, .value = value, .text = help});
  }
  page += ".SH SETTINGS\n";
  page += kValues;
  for (const Setting& setting : settings()) page += setting_text(setting);
  page += ".SH KEYS WITH A NAME INSIDE\nThese are written in the file.\n";
  for (const auto& [key, help] : named_keys()) {
    page += roff_item({.tag = key, .value = "", .text = help});
  }
  page += ".SH SIGNALS\n" + items(kSignals) + ".SH FILES\n" + items(kFiles);
  page += ".SH EXIT STATUS\n";
  for (const auto& [code, means] : kExitCodes) {
    page += roff_item({.tag = fmt::format("{}", code), .value = "", .text = means});
  }
  page += ".SH ENVIRONMENT\n" + items(kVariables);
  for (const Shorthand& shorthand : shorthands()) {
    page += roff_item({.tag = shorthand.variable,
                       .value = "",
                       .text = fmt::format("{},...: as --{}", shorthand.expected, shorthand.flag)});
  }
  return page + ".SH SEE ALSO\n.BR skaldctl (1)\n";
}

}  // namespace skald::server
