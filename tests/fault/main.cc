// crash_points: the engine dies before and after every commit and every send of the order saga in
// every variant, and again at every moment of each recovery; in process.
//   crash_points                    every single crash and every pair
//   crash_points --pairs 20000      every single crash, so many of the pairs, spread by a seed
//   crash_points --only TEXT        variants whose name contains TEXT
//   crash_points --at 17,3 --only "nothing fails"    one run again, told
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>

#include "engine/base/hash.h"
#include "sagas/registry.h"
#include "tests/fault/variants.h"

namespace skald::fault {
namespace {

constexpr std::array kDefinitions = {"create_order", "create_order_chain"};
constexpr std::size_t kFindingsMax = 20;
constexpr Millis kLongDowntime{10LL * 60'000};  // longer than an order's deadline

struct Options {
  std::string only;
  std::vector<std::size_t> at;
  std::size_t pairs = ~0ULL;
  std::uint64_t seed = 0;
};

struct Figures {
  std::size_t writes = 0, sends = 0;
  std::size_t points = 0, visited = 0;
  std::size_t pairs = 0, pairs_visited = 0, pairs_left_out = 0;

  void add(const Figures& other) {
    writes += other.writes;
    sends += other.sends;
    points += other.points;
    visited += other.visited;
    pairs += other.pairs;
    pairs_visited += other.pairs_visited;
    pairs_left_out += other.pairs_left_out;
  }
};

std::string_view name(Moment moment) {
  switch (moment) {
    case Moment::before_commit:
      return "before a commit";
    case Moment::after_commit:
      return "after a commit";
    case Moment::before_send:
      return "before a send";
    case Moment::after_send:
      return "after a send";
  }
  return "";
}

/// Every crash of one variant.
class Hunt {
 public:
  Hunt(const Variant& variant, const Options& options, double share)
      : variant_(variant), options_(options), share_(share) {}

  /// Whether a run with these deaths died at each of them; what it found wrong is kept.
  Told play(std::vector<std::size_t> deaths, Landing landing, Millis downtime = Millis{1}) {
    Told told = CrashWorld({.definition = variant_.definition,
                            .troubles = variant_.troubles,
                            .deaths = deaths,
                            .landing = landing,
                            .downtime = downtime})
                    .run();
    const bool in_time = downtime < kLongDowntime;  // else the order's deadline may pass
    if (told.findings.empty() && in_time && variant_.ends && told.status != *variant_.ends) {
      told.findings.push_back(fmt::format("it ended {}", skald::name(told.status)));
    }
    for (const std::string& finding : told.findings) {
      if (findings.size() >= kFindingsMax) break;
      findings.push_back(fmt::format("--only \"{}/{}\" --at {}: {}", variant_.definition->name,
                                     variant_.name, fmt::join(deaths, ","), finding));
    }
    return told;
  }

  void run() {
    const Told calm = play({}, Landing::at_once);
    if (!findings.empty()) return;
    const auto& moments = calm.lives.front();
    for (const Moment moment : moments) {
      figures.writes += moment == Moment::after_commit ? 1 : 0;
      figures.sends += moment == Moment::after_send ? 1 : 0;
    }
    figures.points = moments.size();
    for (std::size_t at = 0; at < moments.size(); ++at) {
      const Told told = play({at}, Landing::at_once);
      if (!died(told, 0, at)) continue;
      figures.visited += 1;
      if (moments[at] == Moment::after_send) play({at}, Landing::at_the_end);
      play({at}, Landing::at_the_end, kLongDowntime);
      again(at, told.lives[1].size());
    }
  }

  Figures figures;
  std::vector<std::string> findings;

 private:
  static bool died(const Told& told, std::size_t life, std::size_t at) {
    return told.lives.size() == life + 2 && told.lives[life].size() == at + 1;
  }

  /// A crash at every moment of the recovery from the crash at `first`.
  void again(std::size_t first, std::size_t moments) {
    figures.pairs += moments;
    for (std::size_t at = 0; at < moments; ++at) {
      const std::uint64_t draw = mix64(options_.seed ^ mix64(first * 1'000 + at) ^
                                       hash64(variant_.definition->name + variant_.name));
      if (share_ < 1 && static_cast<double>(draw >> 11) * 0x1.0p-53 >= share_) {
        figures.pairs_left_out += 1;
        continue;
      }
      const Landing landing = draw % 2 == 0 ? Landing::at_once : Landing::at_the_end;
      if (died(play({first, at}, landing), 1, at)) figures.pairs_visited += 1;
    }
  }

  const Variant& variant_;
  const Options& options_;
  const double share_;
};

void tell(const Variant& variant, const Options& options) {
  Hunt hunt(variant, options, 1);
  const Told told = hunt.play(options.at, Landing::at_once);
  for (std::size_t life = 0; life < told.lives.size(); ++life) {
    fmt::print("life {}\n", life + 1);
    for (std::size_t at = 0; at < told.lives[life].size(); ++at) {
      fmt::print("  {:3} {}\n", at, name(told.lives[life][at]));
    }
  }
  for (const Place& place : told.sent) {
    fmt::print("sent {} {}\n", place.leg, skald::name(place.operation));
  }
  fmt::print("{}\n", skald::name(told.status));
  for (const std::string& finding : hunt.findings) fmt::print("{}\n", finding);
}

void print(std::string_view name, const Figures& f) {
  fmt::print("{:56} {:4} {:4} {:6} {:7} {:8} {:8}\n", name, f.writes, f.sends, f.points, f.visited,
             f.pairs, f.pairs_visited);
}

/// About how many pairs there are: enough to choose a share of them.
std::size_t guess_pairs(const std::vector<Variant>& variants) {
  std::size_t pairs = 0;
  for (const Variant& variant : variants) {
    const Told told =
        CrashWorld({.definition = variant.definition, .troubles = variant.troubles, .deaths = {}})
            .run();
    pairs += told.lives.front().size() * told.lives.front().size() / 2;
  }
  return pairs;
}

int hunt_all(const std::vector<Variant>& variants, const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const bool all = options.pairs == ~0ULL;
  const double share =
      all ? 1 : static_cast<double>(options.pairs) / static_cast<double>(guess_pairs(variants) + 1);
  fmt::print("{:56} {:>4} {:>4} {:>6} {:>7} {:>8} {:>8}\n", "variant", "W", "S", "points",
             "visited", "pairs", "visited");
  Figures total;
  std::vector<std::string> findings;
  for (const Variant& variant : variants) {
    Hunt hunt(variant, options, share);
    hunt.run();
    print(variant.definition->name + "/" + variant.name, hunt.figures);
    std::ranges::move(hunt.findings, std::back_inserter(findings));
    total.add(hunt.figures);
    if (findings.size() >= kFindingsMax) break;
  }
  print("all", total);
  for (const std::string& finding : findings) fmt::print("WRONG {}\n", finding);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const bool every =
      total.visited == total.points && total.pairs_visited + total.pairs_left_out == total.pairs;
  if (!every) fmt::print("WRONG not every point was visited\n");
  fmt::print(
      "crash points in process: {} variants, N1 = {} visited {}, N2 = {} visited {}{} in {:.1f} "
      "s\n",
      variants.size(), total.points, total.visited, total.pairs, total.pairs_visited,
      all ? "" : fmt::format(" (chosen by seed {})", options.seed), took.count());
  return findings.empty() && every && total.points > 0 ? 0 : 1;
}

Options parse(int argc, char** argv) {
  Options options;
  options.seed = std::random_device{}();
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (flag == "--only") {
      options.only = value;
    } else if (flag == "--pairs") {
      options.pairs = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--seed") {
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--at") {
      std::istringstream numbers(value);
      for (std::string number; std::getline(numbers, number, ',');) {
        options.at.push_back(std::strtoull(number.c_str(), nullptr, 10));
      }
    } else {
      fmt::print(stderr, "crash_points: unknown flag {}; see the top of tests/fault/main.cc\n",
                 flag);
      std::exit(2);
    }
  }
  return options;
}

int run(const Options& options) {
  std::vector<Variant> variants;
  for (const DefinitionPtr& definition : sagas::all_definitions()) {
    if (std::ranges::find(kDefinitions, definition->name) == kDefinitions.end()) continue;
    for (Variant& variant : variants_of(definition)) {
      const std::string whole = definition->name + "/" + variant.name;
      if (whole.contains(options.only)) variants.push_back(std::move(variant));
    }
  }
  if (options.at.empty()) return hunt_all(variants, options);
  for (const Variant& variant : variants) tell(variant, options);
  return 0;
}

}  // namespace
}  // namespace skald::fault

int main(int argc, char** argv) { return skald::fault::run(skald::fault::parse(argc, argv)); }
