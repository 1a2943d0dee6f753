#include "tests/sim/campaign.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>

namespace skald::sim {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr unsigned kJobsMax = 64;
constexpr std::uint64_t kSagasThatMeetAll = 100'000;
constexpr double kProgressEvery = 10;
constexpr double kWorldSecondsMax = 120;  // longer: it hangs
constexpr auto kLookEvery = std::chrono::milliseconds(50);

/// What a worker tells the parent; written by that worker alone.
struct Slot {
  std::atomic<std::uint64_t> seed{0};  // 0: none under way
  std::atomic<std::uint64_t> worlds{0};
  std::atomic<bool> wrong{false};
  WorldFigures figures;
  std::uint64_t replayed = 0;
};

struct Shared {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> sagas{0};
  std::atomic<bool> stop{false};
  Slot slots[kJobsMax];
};

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

/// One world, perhaps twice. False: something is wrong.
bool run_world(const CampaignOptions& options, Slot& slot, std::uint64_t index) {
  const Scenario scenario{.seed = options.first_seed + index, .without = options.without};
  World world(scenario, false);
  const Verdict verdict = world.run();
  slot.figures.add(world.figures());
  if (!verdict.wrongs.empty()) return false;
  if (options.replayed_every == 0 || index % options.replayed_every != 0) return true;
  slot.replayed += 1;
  World again(scenario, false);
  return again.run().story_hash == verdict.story_hash;
}

[[noreturn]] void work(const CampaignOptions& options, Shared& shared, Slot& slot) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // no worker outlives the campaign
  const auto begin = SteadyClock::now();
  while (!shared.stop && shared.sagas < options.sagas &&
         seconds_since(begin) < options.seconds_max) {
    const std::uint64_t index = shared.next++;
    if (index >= options.seeds_max) break;
    slot.seed = options.first_seed + index;
    const std::uint64_t before = slot.figures.sagas;
    if (!run_world(options, slot, index)) {
      slot.wrong = true;
      shared.stop = true;
      _exit(1);
    }
    shared.sagas += slot.figures.sagas - before;
    slot.worlds += 1;
    slot.seed = 0;
  }
  _exit(0);
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options)
      : options_(options), jobs_(std::clamp(options.jobs, 1U, kJobsMax)) {
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SKALD_CHECK(memory != MAP_FAILED, "no shared memory");
    shared_ = new (memory) Shared;
  }
  ~Campaign() { munmap(shared_, sizeof(Shared)); }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  CampaignResult run() {
    std::fflush(nullptr);
    workers_.resize(jobs_);
    for (unsigned i = 0; i < jobs_; ++i) {
      workers_[i].pid = fork();
      SKALD_CHECK(workers_[i].pid >= 0, "cannot fork");
      if (workers_[i].pid == 0) work(options_, *shared_, shared_->slots[i]);
    }
    while (reap()) {
      std::this_thread::sleep_for(kLookEvery);  // tidy: allow(sleep) waits for processes, bounded
      tell_progress();
    }
    CampaignResult result{.seconds = seconds_since(begin_)};
    for (unsigned i = 0; i < jobs_; ++i) {
      result.figures.add(shared_->slots[i].figures);
      result.replayed += shared_->slots[i].replayed;
    }
    result.failing_seed = failing_;
    return result;
  }

 private:
  struct Worker {
    pid_t pid = 0;  // 0: it has ended
    std::uint64_t worlds = 0;
    SteadyClock::time_point moved = SteadyClock::now();
  };

  /// Looks after the workers; false when none is left.
  bool reap() {
    bool any = false;
    for (unsigned i = 0; i < jobs_; ++i) {
      Worker& worker = workers_[i];
      Slot& slot = shared_->slots[i];
      if (worker.pid == 0) continue;
      if (slot.worlds != worker.worlds) {
        worker.worlds = slot.worlds;
        worker.moved = SteadyClock::now();
      }
      if (seconds_since(worker.moved) > kWorldSecondsMax) kill(worker.pid, SIGKILL);
      int status = 0;
      if (waitpid(worker.pid, &status, WNOHANG) == 0) {
        any = true;
        continue;
      }
      worker.pid = 0;
      if (WIFSIGNALED(status) || slot.wrong) {
        shared_->stop = true;
        failing_ = std::min(failing_.value_or(~0ULL), slot.seed.load());
      }
    }
    return any;
  }

  void tell_progress() {
    const double passed = seconds_since(begin_);
    if (passed - told_ < kProgressEvery) return;
    told_ = passed;
    const std::uint64_t sagas = shared_->sagas;
    const auto of = [](std::uint64_t bound) {
      return bound == ~0ULL ? "" : fmt::format(" of {}", bound);
    };
    fmt::print(stderr, "sim: {:.0f} s, {}{} sagas, {}{} seeds, {:.0f} sagas/s\n", passed, sagas,
               of(options_.sagas), shared_->next.load(), of(options_.seeds_max),
               static_cast<double>(sagas) / passed);
  }

  const CampaignOptions& options_;
  const unsigned jobs_;
  Shared* shared_ = nullptr;
  std::vector<Worker> workers_;
  std::optional<std::uint64_t> failing_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
  double told_ = 0;
};

}  // namespace

CampaignResult run_campaign(const CampaignOptions& options) { return Campaign(options).run(); }

std::vector<std::string_view> never_met(const CampaignResult& result,
                                        const CampaignOptions& options) {
  std::vector<std::string_view> never;
  const WorldFigures& f = result.figures;
  if (f.sagas < kSagasThatMeetAll || options.without.any()) return never;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (f.faults[i] == 0) never.push_back(name(static_cast<Fault>(i)));
  }
  if (f.folds == 0) never.emplace_back("a fold");
  if (f.replays == 0) never.emplace_back("a replay that began");
  if (f.words == 0) never.emplace_back("a person who says how a leg ended");
  if (f.breakers_opened == 0) never.emplace_back("an open breaker");
  if (f.removed == 0) never.emplace_back("a saga whose time was over");
  return never;
}

void print_figures(const CampaignResult& result, const CampaignOptions& options) {
  const WorldFigures& f = result.figures;
  fmt::print(
      "sim: {} sagas ({} completed, {} compensated, {} left to a person) in {} seeds from {}\n"
      "     {:.1f} simulated hours, {} calls, {} commits; {} worlds told the same story twice\n"
      "     {} folds, {} replays, {} legs of which a person spoke, {} breakers opened, {} sagas "
      "removed\n"
      "     {:.0f} s, {:.0f} sagas/s\n     faults and acts:",
      f.sagas, f.completed, f.compensated, f.excused, f.worlds, options.first_seed,
      static_cast<double>(f.simulated_ms) / 3'600'000, f.calls, f.commits, result.replayed, f.folds,
      f.replays, f.words, f.breakers_opened, f.removed, result.seconds,
      static_cast<double>(f.sagas) / std::max(result.seconds, 0.001));
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (i % 6 == 0) fmt::print("\n      ");
    fmt::print(" {} {}{}", name(static_cast<Fault>(i)), f.faults[i], i + 1 == kFaults ? "\n" : ",");
  }
}

}  // namespace skald::sim
