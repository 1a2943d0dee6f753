#include "tools/bench/timers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <unordered_map>
#include <vector>

#include "tools/bench/batches.h"
#include "tools/bench/load.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kLead{3};                   // between the last submission and the first timer
constexpr double kSubmitsPerSecond = 15'000;  // that much slower than a quiet machine
constexpr Seconds kLateMax{60};
constexpr std::uint32_t kPage = 1'000;
constexpr std::int64_t kMicros = 1'000'000;
constexpr std::uint64_t kStride = 7'919;  // a prime: neighbours in a batch are not due together

/// When each saga was due, by its id: microseconds since 1970, engine time.
using Due = std::unordered_map<std::string, std::int64_t>;

Result<Due> read_due(TestBed& bed, const std::vector<Millis>& timers) {
  Due due;
  v1::ListRequest request;
  request.set_definition("timer");
  request.set_limit(kPage);
  do {
    const auto body =
        bed.ask(bed.engine_endpoint(), "/skald.v1.SagaService/List", request.SerializeAsString());
    v1::ListResponse page;
    if (!body) return std::unexpected(body.error());
    if (!page.ParseFromString(*body)) return fail(Errc::internal, "a list cannot be read");
    for (const v1::SagaSummary& saga : page.sagas()) {
      const std::uint64_t number = number_of_key(saga.idempotency_key());
      const std::int64_t started =
          saga.started_at().seconds() * kMicros + saga.started_at().nanos() / 1'000;
      due[saga.saga_id()] = started + timers.at(number).count() * 1'000;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return due;
}

struct Fired {
  Latencies late;
  std::uint64_t early = 0;      // by more than a millisecond, the step of engine time
  double per_second_least = 0;  // due in a whole second of the middle
};

Result<Fired> compare(const Due& due, std::string_view arrivals) {
  Fired fired;
  std::uint64_t seen = 0;
  while (!arrivals.empty()) {
    const std::string_view line = arrivals.substr(0, arrivals.find('\n'));
    arrivals.remove_prefix(line.size() + 1);
    const std::size_t space = line.find(' ');
    std::int64_t at = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), at);
    const auto found = due.find(std::string(line.substr(0, space)));
    if (found == due.end()) return fail(Errc::internal, "a call of an unknown saga: {}", line);
    const std::int64_t late = at - found->second;
    fired.early += late < -1'000 ? 1 : 0;
    fired.late.add(std::chrono::microseconds(std::max<std::int64_t>(late, 0)));
    ++seen;
  }
  if (seen != due.size()) {
    return fail(Errc::failed_precondition, "timers: {} of {} sagas called the mall", seen,
                due.size());
  }
  std::map<std::int64_t, std::uint64_t> in_second;
  for (const auto& [saga, at] : due) ++in_second[at / kMicros];
  if (in_second.size() > 2) {  // the first and the last are cut
    in_second.erase(in_second.begin());
    in_second.erase(std::prev(in_second.end()));
  }
  const auto least = std::ranges::min_element(
      in_second, [](const auto& a, const auto& b) { return a.second < b.second; });
  fired.per_second_least = static_cast<double>(least->second);
  return fired;
}

Result<Row> fire(TestBed& bed, const TimerPlan& plan) {
  const auto count = static_cast<double>(plan.count);
  const auto first = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(
                                              kLead + Seconds(count / kSubmitsPerSecond));
  std::vector<Millis> timers(plan.count);
  Batches batches(bed, [&](std::uint64_t number, v1::SubmitRequest& to) {
    const auto place = static_cast<double>(number * kStride % plan.count);
    const Seconds until = first - SteadyClock::now() + Seconds(place / plan.per_second);
    timers[number] = std::max(Millis{1}, std::chrono::duration_cast<Millis>(until));
    fill_timer(bed.run(), number, timers[number], to);
  });
  if (auto done = batches.add_and_wait(plan.count); !done) return std::unexpected(done.error());
  const Seconds ahead = first - SteadyClock::now();
  if (ahead <= Seconds(0)) {
    return fail(Errc::failed_precondition, "timers: submitting took so long that some were due");
  }
  bed.wait_for_quiet();
  if (first > SteadyClock::now()) bed.pass(first - SteadyClock::now());
  const double cpu = use_of(bed.engine_pid()).cpu_s;
  const Seconds span(count / plan.per_second);
  bed.pass(span);  // nothing is asked of the engine meanwhile
  const double cores = (use_of(bed.engine_pid()).cpu_s - cpu) / span.count();
  const auto ended =
      bed.watch([&](const EngineFigures& now) { return now.completed >= plan.count; }, kLateMax);
  if (!ended) return std::unexpected(ended.error());

  const auto due = read_due(bed, timers);
  if (!due) return std::unexpected(due.error());
  const auto arrivals = bed.ask(bed.mall_endpoint(), "/arrivals");
  if (!arrivals) return std::unexpected(arrivals.error());
  auto fired = compare(*due, *arrivals);
  if (!fired) return std::unexpected(fired.error());
  Row row{.shape = "timers", .system = "skald", .orders = plan.count};
  row.rate = plan.per_second;
  row.latency = fired->late.quantiles();
  row.per_second = spread_of({count / span.count()});
  row.resident_mb = static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6;
  row.more = {{"late_max_ms", row.latency.max_ms},
              {"due_in_a_second_least", fired->per_second_least},
              {"early", static_cast<double>(fired->early)},
              {"submitted_ahead_s", ahead.count()},
              {"engine_cores", cores}};
  return row;
}

}  // namespace

Result<Row> measure_timers(TestBed& bed, const TimerPlan& plan) {
  auto own = bed.beside("timers");
  if (!own) return std::unexpected(own.error());
  return fire(**own, plan);
}

}  // namespace skald::bench
