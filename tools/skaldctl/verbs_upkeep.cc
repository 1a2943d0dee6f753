// The store's upkeep: checks and copies. What needs a store that nobody has open is skaldd's own
// `--check`, which this starts: skaldctl itself never opens one.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "skald/v1/upkeep.pb.h"
#include "tools/skaldctl/program.h"
#include "tools/skaldctl/verbs.h"

namespace skald::ctl {
namespace {

constexpr Millis kReadingAll{6LL * 3'600'000};  // a store of millions of sagas

/// What is wrong, and what was looked at.
Exit tell(const Session& session, const v1::StoreReport& report) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, report));
  } else {
    std::string text;
    for (const auto& finding : report.findings()) {
      text += fmt::format("{}: {}; should be: {}\n",
                          finding.saga_id().empty() ? "store" : "saga " + finding.saga_id(),
                          finding.what(), finding.expected());
    }
    const auto told = static_cast<std::uint64_t>(report.findings_size());
    if (report.wrong() > told) text += fmt::format("and {} more\n", report.wrong() - told);
    text += fmt::format("sagas={} records={} rows={} wrong={}\n", report.sagas(), report.records(),
                        report.rows(), report.wrong());
    session.terminal.out(text);
  }
  return report.wrong() == 0 ? Exit::ok : Exit::unsound;
}

}  // namespace

Exit doctor(Session& session) {
  v1::StoreReport report;
  const Exit called = session.call("/skald.v1.UpkeepService/CheckStore", v1::CheckStoreRequest(),
                                   report, kReadingAll);
  return called == Exit::ok ? tell(session, report) : called;
}

Exit backup(Session& session, const std::string& directory) {
  v1::BackUpRequest request;
  request.set_directory(std::filesystem::absolute(directory).lexically_normal().string());
  v1::StoreReport report;
  const Exit called = session.call("/skald.v1.UpkeepService/BackUp", request, report, kReadingAll);
  return called == Exit::ok ? tell(session, report) : called;
}

Exit doctor_of_closed(const Terminal& terminal, const std::string& directory) {
  return run_beside(terminal, "skaldd", {"--check", "--data", directory});
}

Exit restore(const Terminal& terminal, const std::string& backup, const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const auto refuse = [&terminal](const std::string& what) {
    terminal.err("error: " + what + "\n");
    return Exit::server;
  };
  if (!fs::exists(backup + "/CURRENT", failed)) return refuse(backup + " holds no store");
  if (fs::exists(directory, failed)) {
    return refuse(directory + " is there already; restore into a new directory");
  }
  fs::copy(backup, directory, fs::copy_options::recursive, failed);
  if (failed) return refuse("cannot copy " + backup + ": " + failed.message());
  ::sync();  // a store that has not begun yet syncs nothing of what it finds
  return doctor_of_closed(terminal, directory);
}

}  // namespace skald::ctl
