// The benchmark as a program: flags, the run, and where its report goes. `tools/x bench` calls it.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "tools/bench/plots.h"
#include "tools/bench/programme.h"
#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {
namespace {

struct Flags {
  bool is_short = false;
  std::string engine;
  std::string mall;
  std::string folder;
  std::string json;
  std::string commit = "unknown";
  std::vector<std::size_t> in_flight;
  std::vector<int> short_percents;
  std::vector<std::string> shapes;
  std::vector<std::string> engine_flags;
  int rounds = 0;
  double seconds = 0;
  std::uint64_t waiting = 0;
  std::uint64_t timers = 0;
  std::uint64_t active = 0;
  std::uint64_t open = 0;
  std::vector<std::uint64_t> finished;
  std::string finished_folder;
  int pipeline_max = 16;
};

void declare(CLI::App& app, Flags& f) {
  app.add_flag("--short", f.is_short, "less of everything, in under three minutes");
  app.add_option("--engine", f.engine, "path of skaldd")->required();
  app.add_option("--mall", f.mall, "path of mock_mall")->required();
  app.add_option("--out", f.folder, "folder for the report; the store is made there, on that disk")
      ->required();
  app.add_option("--json", f.json, "write the rows here too");
  app.add_option("--commit", f.commit, "what is measured, for the report");
  app.add_option("--in-flight", f.in_flight, "orders in flight, 1,64,...")->delimiter(',');
  app.add_option("--short-percents", f.short_percents, "0,10")->delimiter(',');
  app.add_option("--shapes", f.shapes, fmt::format("of {}", fmt::join(shape_names(), ",")))
      ->delimiter(',')
      ->check(CLI::IsMember(shape_names()));
  app.add_option("--pairs", f.rounds, "pairs in each cell")->check(CLI::Range(1, 100));
  app.add_option("--seconds", f.seconds, "of one sample")->check(CLI::Range(0.05, 600.0));
  app.add_option("--waiting", f.waiting, "sagas of the shape `waiting`");
  app.add_option("--timers", f.timers, "timers of the shape `timers`");
  app.add_option("--active", f.active, "sagas active at once in the shape `active`");
  app.add_option("--open", f.open, "sagas of the shape `restart`");
  app.add_option("--finished", f.finished,
                 "finished sagas in the store, 1000000,10000000: the shape `finished`, which is "
                 "left out without")
      ->delimiter(',');
  app.add_option("--finished-in", f.finished_folder,
                 "folder whose store of finished sagas is used, filled up, and kept");
  app.add_option("--pipeline", f.pipeline_max,
                 "calls that wait on one connection to the mock mall at once; 1: none but one")
      ->check(CLI::Range(1, int{kPipelineMax}));
  app.add_option("--engine-flag", f.engine_flags, "handed to skaldd; may be repeated");
}

Programme programme_of(const Flags& f) {
  Programme programme;
  if (f.is_short) {
    programme.in_flight = {1, 64, 256};
    programme.open_shares = {0.7};
    programme.warm = std::chrono::duration<double>(0.15);
    programme.measured = std::chrono::duration<double>(0.6);
    programme.waiting_sagas = 20'000;
    programme.timers = {.count = 2'000, .per_second = 2'000};
    programme.active_sagas = 2'000;
    programme.restart = {.open = 5'000, .calling = 500, .due = 250};
    programme.finished_sizes = {10'000, 20'000};
  }
  if (!f.in_flight.empty()) programme.in_flight = f.in_flight;
  if (!f.short_percents.empty()) programme.short_percents = f.short_percents;
  if (f.rounds > 0) programme.rounds = f.rounds;
  if (f.seconds > 0) programme.measured = std::chrono::duration<double>(f.seconds);
  if (f.waiting > 0) programme.waiting_sagas = f.waiting;
  if (f.timers > 0) programme.timers.count = f.timers;
  if (f.active > 0) programme.active_sagas = f.active;
  if (f.open > 0) programme.restart = RestartPlan::of(f.open);
  if (!f.finished.empty()) programme.finished_sizes = f.finished;
  programme.finished_folder = f.finished_folder;
  programme.shapes = {f.shapes.begin(), f.shapes.end()};
  return programme;
}

std::string settings_of(const Flags& f, const Programme& p) {
  return fmt::format(
      "{} pairs of {} s after {} s, systems in turn; every write synced; direct: one thread; mock: "
      "one thread; skaldd: its defaults, pipeline_max {}{}{}",
      p.rounds, p.measured.count(), p.warm.count(), f.pipeline_max,
      f.engine_flags.empty() ? "" : " and ", fmt::join(f.engine_flags, " "));
}

Result<void> write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  if ((file << text).flush()) return {};
  return fail(Errc::unavailable, "cannot write {}", path);
}

Result<void> run(const Flags& flags) {
  std::filesystem::create_directories(flags.folder);
  const Programme programme = programme_of(flags);
  const RunHead head{
      .machine = this_machine(flags.folder),
      .commit = flags.commit,
      .settings = settings_of(flags, programme),
      .started = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time(nullptr)))};
  if (head.machine.file_system == "tmpfs") {
    return fail(Errc::failed_precondition, "{} is in memory: choose a folder on a disk",
                flags.folder);
  }
  fmt::print("{}", head_text(head));
  auto bed = TestBed::start({.engine = flags.engine,
                             .mall = flags.mall,
                             .folder = flags.folder,
                             .pipeline_max = flags.pipeline_max,
                             .engine_flags = flags.engine_flags});
  if (!bed) return std::unexpected(bed.error());
  const auto rows = run_programme(**bed, programme, [](const Row& row) {
    fmt::print(stderr, "{} {} in flight {} short {} %: {:.0f}/s\n", row.system, row.shape,
               row.in_flight, row.short_percent, row.per_second.middle);
  });
  bed->reset();
  std::filesystem::remove_all(flags.folder + "/store");
  if (!rows) return std::unexpected(rows.error());
  const std::string table = table_text(*rows);
  fmt::print("{}", table);
  const std::string json = json_text(head, *rows);
  if (auto ok = write_file(flags.folder + "/table.txt", head_text(head) + table); !ok) return ok;
  if (auto ok = write_file(flags.folder + "/rows.json", json); !ok) return ok;
  if (!flags.json.empty()) {
    if (auto ok = write_file(flags.json, json); !ok) return ok;
  }
  const auto plots = write_plots(flags.folder, *rows);
  if (!plots) return std::unexpected(plots.error());
  fmt::print("report in {}: table.txt, rows.json and {} plots\n", flags.folder, plots->size());
  return {};
}

}  // namespace
}  // namespace skald::bench

int main(int argc, char** argv) {
  CLI::App app{"Durable sagas beside the hand-written chain that remembers nothing"};
  skald::bench::Flags flags;
  skald::bench::declare(app, flags);
  CLI11_PARSE(app, argc, argv);
  const auto ran = skald::bench::run(flags);
  if (ran) return 0;
  fmt::print(stderr, "load_bench: {}\n", ran.error().message);
  return 1;
}
