#include "engine/server/check_store.h"

#include <fmt/format.h>

#include <cstdio>

#include "engine/server/exit_codes.h"
#include "engine/shard/definitions.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/definition.h"
#include "sagas/registry.h"

namespace skald::server {
namespace {

void print(const CheckReport& report) {
  for (const Finding& finding : report.findings) {
    fmt::print("{}: {}; should be: {}\n",
               finding.saga ? "saga " + finding.saga->text() : std::string("store"), finding.what,
               finding.expected);
  }
  if (report.wrong > report.findings.size()) {
    fmt::print("and {} more\n", report.wrong - report.findings.size());
  }
  fmt::print("sagas={} records={} rows={} wrong={}\n", report.sagas, report.records, report.rows,
             report.wrong);
}

}  // namespace

int check_store(const ServerConfig& config) {
  const DefinitionTable definitions(sagas::all_definitions(), wire::definition_of_source);
  const CheckOptions options{
      .definition_of =
          [&definitions](const SagaState& state) {
            return definitions.of_saga(state.definition, state.version, state.source);
          },
      .progress = [](std::uint64_t sagas) { fmt::print(stderr, "sagas={} ...\n", sagas); }};
  const auto report = RocksStore::check_closed({.directory = config.data}, options);
  if (!report) {
    fmt::print(stderr, "skaldd: {}\n", report.error().message);
    if (report.error().code == Errc::failed_precondition) {
      fmt::print(stderr, "hint: `skaldctl doctor` asks the running skaldd to check its store\n");
    }
    return kFailed;
  }
  print(*report);
  return report->wrong == 0 ? kDrained : kUnsound;
}

}  // namespace skald::server
