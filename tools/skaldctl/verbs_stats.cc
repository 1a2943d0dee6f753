#include "tools/skaldctl/verbs_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr Millis kEvery{1'000};
constexpr int kStatuses = 7;

constexpr const char* kHome = "\x1b[H";       // to the upper left corner
constexpr const char* kLineEnd = "\x1b[K\n";  // and what was behind it is gone
constexpr const char* kBelow = "\x1b[J";      // what was below is gone
constexpr const char* kOtherScreen = "\x1b[?1049h\x1b[?25l";
constexpr const char* kOwnScreen = "\x1b[?25h\x1b[?1049l";

std::string counts_table(const Terminal& terminal, const v1::Stats& stats) {
  std::map<std::string, std::vector<std::uint64_t>> counts;
  for (const auto& counted : stats.counts()) {
    auto& row = counts[counted.definition()];
    row.resize(kStatuses + 1);
    row[static_cast<std::size_t>(counted.status())] = counted.sagas();
  }
  if (counts.empty()) return "no saga is in the store\n";
  // Short titles, so that seven of them fit 80 columns.
  const std::vector<Column> columns{{.title = "DEFINITION", .shrinks = true},
                                    {.title = "RUNNING"},
                                    {.title = "UNDOING"},
                                    {.title = "PAUSED"},
                                    {.title = "STUCK"},
                                    {.title = "COMPLETED"},
                                    {.title = "UNDONE"},
                                    {.title = "ABANDONED"}};
  std::vector<std::vector<Cell>> rows;
  for (const auto& [definition, row] : counts) {
    auto& cells = rows.emplace_back();
    cells.push_back({definition.empty() ? "(others)" : definition});
    for (int status = 1; status <= kStatuses; ++status) {
      const std::uint64_t count = row[static_cast<std::size_t>(status)];
      cells.push_back(
          {fmt::format("{}", count),
           count == 0 ? Tone::dim : status_tone(static_cast<v1::SagaStatus::Value>(status))});
    }
  }
  return table(terminal, columns, rows, terminal.width);
}

std::string causes_table(const Terminal& terminal, const v1::Stats& stats) {
  if (stats.stuck_causes().empty()) return "nothing is stuck\n";
  std::vector<std::vector<Cell>> rows;
  for (const v1::FailureGroup& group : stats.stuck_causes()) {
    rows.push_back({{fmt::format("{}", group.count()), Tone::bad},
                    {group.failure().cause()},
                    {group.definition()},
                    {failure_line(group.failure())}});
  }
  return table(terminal,
               {{.title = "STUCK"},
                {.title = "CAUSE"},
                {.title = "DEFINITION", .shrinks = true},
                {.title = "WHY", .shrinks = true}},
               rows, terminal.width);
}

std::string participants_table(const Terminal& terminal, const v1::Stats& stats) {
  struct Sum {
    std::uint32_t in_flight = 0, limit = 0;
    std::uint64_t queued = 0, answers = 0, failures = 0;
    double took = 0;  // weighed by answers
    bool held = false, open = false;
  };
  std::map<std::string, Sum> sums;
  for (const v1::ParticipantMethod& method : stats.participants()) {
    Sum& sum = sums[method.participant()];
    sum.in_flight += method.in_flight();
    sum.limit = std::max(sum.limit, method.in_flight_max());
    sum.queued += method.queued();
    sum.answers += method.answers();
    sum.failures += method.failures();
    sum.took += method.recent_latency_ms() * static_cast<double>(method.answers());
    sum.held = sum.held || method.has_hold();
    sum.open = sum.open || method.breaker() == v1::BreakerState::open;
  }
  if (sums.empty()) return "no participant has been called since skaldd started\n";
  std::vector<std::vector<Cell>> rows;
  for (const auto& [name, sum] : sums) {
    const double latency = sum.answers == 0 ? 0 : sum.took / static_cast<double>(sum.answers);
    const Cell health = sum.held   ? Cell{"held", Tone::warn}
                        : sum.open ? Cell{"breaker open", Tone::bad}
                                   : Cell{"", Tone::plain};
    rows.push_back({{name},
                    {fmt::format("{}/{}", sum.in_flight, sum.limit)},
                    {fmt::format("{}", sum.queued)},
                    {fmt::format("{:.1f} ms", latency)},
                    {fmt::format("{}", sum.answers)},
                    {fmt::format("{}", sum.failures), sum.failures == 0 ? Tone::dim : Tone::warn},
                    health});
  }
  return table(terminal,
               {{.title = "PARTICIPANT", .shrinks = true},
                {.title = "OUT"},
                {.title = "QUEUED"},
                {.title = "LATENCY"},
                {.title = "ANSWERS"},
                {.title = "FAILED"},
                {.title = "", .shrinks = true}},
               rows, terminal.width);
}

Exit ask(Session& session, v1::Stats& stats) {
  return session.call("/skald.v1.StatsService/Get", v1::GetStatsRequest(), stats);
}

Exit show(Session& session, const v1::Stats& stats) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, stats));
  } else if (session.format == Format::name) {
    for (const auto& group : stats.stuck_causes()) {
      session.terminal.out(group.failure().cause() + "\n");
    }
  } else {
    session.terminal.out(stats_text(session.terminal, stats));
  }
  return Exit::ok;
}

/// As many lines as fit, each ended so that nothing of the last picture stays.
std::string picture(const Terminal& terminal, const std::string& text) {
  std::string out = kHome;
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size() && lines + 1 < terminal.height; ++lines) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.append(text, at, end - at).append(kLineEnd);
    at = end + 1;
  }
  return out + kBelow;
}

}  // namespace

std::string stats_text(const Terminal& terminal, const v1::Stats& stats) {
  const std::int64_t now = unix_ms(stats.now());
  const v1::Stats::Rates& rates = stats.rates();
  std::string text =
      stats.not_ready().empty()
          ? terminal.toned(Tone::good, "ready")
          : terminal.toned(Tone::bad, fmt::format("not ready: {}", stats.not_ready()));
  text += fmt::format(", up {}; {} sagas in memory, {} callers wait\n",
                      short_duration(now - unix_ms(stats.started_at())), stats.in_memory(),
                      stats.waiters());
  text += fmt::format(
      "a second, over {}: {:.1f} submitted, {:.1f} completed, {:.1f} undone,\n"
      "  {:.1f} stuck, {:.1f} calls, {:.1f} queries\n",
      short_duration(static_cast<std::int64_t>(stats.window_ms())), rates.submitted(),
      rates.completed(), rates.compensated(), rates.became_stuck(), rates.calls(), rates.queries());
  text += fmt::format(
      "commits: {:.1f} of {:.1f} changes; median {:.2f} ms, p99 {:.2f} ms; {} batches,\n"
      "  {} commands queued\n",
      rates.commits(), stats.commit_transitions(), stats.commit_ms_median(), stats.commit_ms_p99(),
      stats.commit_queue(), stats.inbox_queue());
  if (stats.has_stuck_since()) {
    text += fmt::format("stuck longest: {}\n", short_duration(now - unix_ms(stats.stuck_since())));
  }
  return text + "\n" + counts_table(terminal, stats) + "\n" + causes_table(terminal, stats) + "\n" +
         participants_table(terminal, stats);
}

Exit stats(Session& session) {
  v1::Stats stats;
  const Exit asked = ask(session, stats);
  return asked == Exit::ok ? show(session, stats) : asked;
}

Exit top(Session& session) {
  const Terminal& terminal = session.terminal;
  if (!terminal.left_within || is_for_programs(session.format)) return stats(session);
  v1::Stats now;
  Exit asked = ask(session, now);
  if (asked != Exit::ok) return asked;
  terminal.out(kOtherScreen);
  do {
    terminal.out(picture(terminal, stats_text(terminal, now)));
    if (terminal.left_within(kEvery)) break;
    now.Clear();
    asked = ask(session, now);
  } while (asked == Exit::ok);
  terminal.out(kOwnScreen);
  return asked;
}

}  // namespace skald::ctl
