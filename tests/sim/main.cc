// sim: runs seeds until a count of sagas, of seeds or a time is reached; the first wrong one is
// minimised and told. README.md lists the options.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "tests/sim/campaign.h"
#include "tests/sim/trial.h"

namespace {

using namespace skald::sim;

constexpr std::uint64_t kCiSagas = 1'000'000;
constexpr std::size_t kStoryLinesMax = 300;

struct Arguments {
  CampaignOptions campaign;
  bool seed_given = false;
  bool one_seed = false;
  bool story = false;
  bool minimised = true;
  std::string scenario_file;  // one scenario
  std::string regressions;    // a folder of them, all replayed first
  std::string keep;           // a folder that takes the file of a failing seed
};

[[noreturn]] void usage(const std::string& flag) {
  fmt::print(stderr,
             "sim: unknown or incomplete {}; use --seed N [--story], --scenario FILE, --from N, "
             "--seeds N, --sagas N, --for SECONDS, --jobs N, --ci, --replay-every N, --without "
             "FAULT, --regressions DIR, --keep DIR, --no-minimise\n",
             flag);
  std::exit(2);
}

template <class Number>
Number number(const std::string& flag, const char* text) {
  Number value{};
  const std::string_view word = text == nullptr ? "" : text;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) usage(flag);
  return value;
}

bool parse_switch(const std::string& flag, Arguments& a) {
  if (flag == "--story" || flag == "--trace") return a.story = true;
  if (flag == "--no-minimise") return a.minimised = false, true;
  if (flag != "--ci") return false;
  a.campaign.sagas = kCiSagas;
  a.campaign.jobs = std::max(1U, std::thread::hardware_concurrency());
  return true;
}

void parse_value(const std::string& flag, const char* text, Arguments& a) {
  CampaignOptions& c = a.campaign;
  if (flag == "--seed" || flag == "--from") {
    c.first_seed = number<std::uint64_t>(flag, text);
    a.seed_given = true;
    a.one_seed = flag == "--seed";
  } else if (flag == "--seeds") {
    c.seeds_max = number<std::uint64_t>(flag, text);
    c.sagas = ~0ULL;
  } else if (flag == "--sagas") {
    c.sagas = number<std::uint64_t>(flag, text);
  } else if (flag == "--for") {
    c.seconds_max = number<double>(flag, text);
  } else if (flag == "--jobs") {
    c.jobs = number<unsigned>(flag, text);
  } else if (flag == "--replay-every") {
    c.replayed_every = number<std::uint64_t>(flag, text);
  } else if (flag == "--without") {
    const auto fault = fault_of(text == nullptr ? "" : text);
    if (!fault) usage(flag);
    c.without.set(index_of(*fault));
  } else if (text == nullptr) {
    usage(flag);
  } else if (flag == "--scenario") {
    a.scenario_file = text;
  } else if (flag == "--regressions") {
    a.regressions = text;
  } else if (flag == "--keep") {
    a.keep = text;
  } else {
    usage(flag);
  }
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    if (parse_switch(argv[i], a)) continue;
    parse_value(argv[i], i + 1 < argc ? argv[i + 1] : nullptr, a);
    i += 1;
  }
  if (!a.seed_given) a.campaign.first_seed = (std::uint64_t{std::random_device{}()} << 16) + 1;
  return a;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) {
    fmt::print(stderr, "sim: cannot read {}\n", path.string());
    std::exit(2);
  }
  return text.str();
}

Scenario read_scenario(const std::filesystem::path& path) {
  const auto scenario = parse_scenario(read_file(path));
  if (scenario) return *scenario;
  fmt::print(stderr, "sim: {}: {}\n", path.string(), scenario.error().message);
  std::exit(2);
}

/// The end of a story, when it is long.
void print_story(const std::string& story) {
  std::size_t begin = story.size();
  for (std::size_t lines = 0; begin > 0 && lines <= kStoryLinesMax; ++lines) {
    begin = story.rfind('\n', begin - 1);
    if (begin == std::string::npos) begin = 0;
  }
  if (begin > 0) fmt::print("  ... {} bytes before\n", begin);
  fmt::print("{}\n", story.substr(begin));
}

/// Minimises, tells and keeps what is wrong. Returns the exit code.
int report(const Scenario& failing, const Arguments& arguments) {
  TrialResult whole = try_scenario(failing, Telling::silent);
  if (whole.wrongs.empty()) {
    whole.wrongs = {"replay the same seed told two stories, or a wrong one cannot be found again"};
  }
  fmt::print("sim: seed {} is wrong:\n", failing.seed);
  for (const std::string& wrong : whole.wrongs) fmt::print("  {}\n", wrong);
  const std::string rule = rule_of(whole.wrongs);
  Scenario smallest = failing;
  if (arguments.minimised && rule != "hangs" && rule != "replay") {
    std::fflush(nullptr);
    smallest = minimise(failing, rule);
  }
  const TrialResult told = try_scenario(smallest, Telling::story);
  fmt::print("sim: the smallest story found:\n");
  print_story(told.story);
  std::string text = fmt::format("# {}\n", whole.wrongs.front());
  text += text_of(smallest);
  fmt::print("sim: its scenario, to be run again by --scenario FILE:\n{}", text);
  if (!arguments.keep.empty()) {
    const auto path =
        std::filesystem::path(arguments.keep) / fmt::format("seed_{}.txt", failing.seed);
    std::ofstream(path) << text;
    fmt::print("sim: kept as {}; name it after what it shows when it is fixed\n", path.string());
  }
  return 1;
}

int run_one(const Scenario& scenario, const Arguments& arguments) {
  const TrialResult first =
      try_scenario(scenario, arguments.story ? Telling::story : Telling::silent);
  if (arguments.story) fmt::print("{}", first.story);
  if (!first.wrongs.empty()) return report(scenario, arguments);
  const TrialResult again = try_scenario(scenario, Telling::silent);
  if (again.story_hash != first.story_hash) {
    fmt::print("sim: seed {} told two different stories\n", scenario.seed);
    return 1;
  }
  fmt::print("sim: seed {} is well; its story has the hash {:016x}, twice\n", scenario.seed,
             first.story_hash);
  return 0;
}

int run_regressions(const Arguments& arguments) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.regressions)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    fmt::print("sim: {}: ", file.filename().string());
    std::fflush(stdout);
    if (const int code = run_one(read_scenario(file), arguments); code != 0) return code;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  (void)mall_definitions();  // built once, before there are processes
  if (!arguments.scenario_file.empty()) {
    return run_one(read_scenario(arguments.scenario_file), arguments);
  }
  if (!arguments.regressions.empty()) {
    if (const int code = run_regressions(arguments); code != 0) return code;
  }
  if (arguments.one_seed) {
    return run_one({.seed = arguments.campaign.first_seed, .without = arguments.campaign.without},
                   arguments);
  }
  const CampaignResult result = run_campaign(arguments.campaign);
  print_figures(result, arguments.campaign);
  if (!result.failing_seed) {
    const auto never = never_met(result, arguments.campaign);
    if (never.empty()) return 0;
    fmt::print("sim: never met: {}\n", fmt::join(never, ", "));
    return 1;
  }
  return report({.seed = *result.failing_seed, .without = arguments.campaign.without}, arguments);
}
