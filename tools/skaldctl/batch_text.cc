#include "tools/skaldctl/batch_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

std::string act_word(v1::BatchAct::Value act) { return v1::BatchAct::Value_Name(act); }

Tone outcome_tone(v1::BatchAct::Value act, const std::string& outcome) {
  if (outcome == "pending" || outcome == "following") return Tone::plain;
  if (outcome == "skipped") return Tone::dim;
  return is_aim(act, outcome) ? Tone::good : Tone::bad;
}

std::string verdict_word(const std::string& verdict) {
  if (verdict == "acts") return "acted on";
  return verdict == "skips" ? "skipped" : "refused";
}

Tone verdict_tone(const std::string& verdict) {
  if (verdict == "acts") return Tone::good;
  return verdict == "skips" ? Tone::dim : Tone::bad;
}

std::string stage_word(const v1::Batch& batch) { return v1::BatchStage::Value_Name(batch.stage()); }

std::string settled_words(const v1::Batch& batch) {
  std::vector<std::string> parts;
  for (const auto& count : batch.counts()) {
    if (count.outcome() == "pending" || count.outcome() == "following") continue;
    parts.push_back(fmt::format("{} {}", count.sagas(), count.outcome()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::uint64_t count_of(const v1::Batch& batch, std::string_view outcome) {
  for (const auto& count : batch.counts()) {
    if (count.outcome() == outcome) return count.sagas();
  }
  return 0;
}

/// What is done and of which: a filter of many keys is cut, `-o json` has all of it.
std::string shown(const Terminal& terminal, const v1::BatchSpec& spec, const std::string& filter,
                  std::size_t indent) {
  constexpr std::size_t kLinesMax = 3;
  const std::string text = fmt::format("{} where {}", act_word(spec.act()), filter);
  return wrapped(cut(text, kLinesMax * (terminal.width - indent)), terminal.width, indent) + "\n";
}

}  // namespace

bool is_aim(v1::BatchAct::Value act, const std::string& outcome) {
  if (act == v1::BatchAct::cancel) return outcome == "compensated";
  // What is tried again or cleared up ends as its own way says: forward, or back.
  const bool either = act == v1::BatchAct::retry || act == v1::BatchAct::resolve;
  return outcome == "completed" || (either && outcome == "compensated");
}

std::string preview_text(const Terminal& terminal, const v1::BatchSpec& spec,
                         const v1::BatchPreview& preview) {
  std::string out = shown(terminal, spec, preview.filter(), 0);
  out += fmt::format("{} sagas match: {} would be acted on, {} skipped, {} refused\n",
                     preview.sagas(), preview.acted_on(), preview.skipped(), preview.refused());
  if (preview.groups().empty()) return out;
  std::vector<std::vector<Cell>> rows;
  for (const auto& group : preview.groups()) {
    rows.push_back({{fmt::format("{}", group.sagas())},
                    {verdict_word(group.verdict()), verdict_tone(group.verdict())},
                    {group.why()},
                    {group.example_saga_id(), Tone::dim}});
  }
  return out + table(terminal,
                     {{.title = "SAGAS"},
                      {.title = "WOULD BE"},
                      {.title = "WHY", .shrinks = true},
                      {.title = "FOR EXAMPLE"}},
                     rows, terminal.width);
}

std::string batch_text(const Terminal& terminal, const v1::Batch& batch) {
  const v1::BatchSpec& spec = batch.spec();
  const bool finished = batch.stage() == v1::BatchStage::finished;
  const std::string title = fmt::format("batch {} {}: ", batch.number(), stage_word(batch));
  std::string out =
      fmt::format("batch {} {}: {}", batch.number(),
                  terminal.toned(finished ? Tone::good : Tone::active, stage_word(batch)),
                  shown(terminal, spec, spec.filter(), display_width(title)));
  out += fmt::format("  by {} at {}{}\n", spec.actor().empty() ? "somebody" : spec.actor(),
                     utc_time(unix_ms(batch.began_at())),
                     spec.reason().empty() ? "" : ": " + spec.reason());
  if (batch.has_ended_at()) {
    const std::int64_t took = unix_ms(batch.ended_at()) - unix_ms(batch.began_at());
    out += fmt::format("  ended at {}, after {}\n", utc_time(unix_ms(batch.ended_at())),
                       short_duration(took));
  } else {
    out += fmt::format("  at most {} a second, at most {} under way\n", spec.rate(),
                       spec.in_flight_max());
  }
  if (!batch.changed_by().empty() || !batch.change_reason().empty()) {
    out += fmt::format("  last changed by {}{}\n",
                       batch.changed_by().empty() ? "somebody" : batch.changed_by(),
                       batch.change_reason().empty() ? "" : ": " + batch.change_reason());
  }
  out += fmt::format("  {} of {} sagas have their outcome\n", batch.settled(), batch.sagas());
  for (const auto& count : batch.counts()) {
    out += fmt::format("  {:>8} {}\n", count.sagas(),
                       terminal.toned(outcome_tone(spec.act(), count.outcome()), count.outcome()));
  }
  return out;
}

std::string progress_line(const v1::Batch& batch) {
  const std::string settled = settled_words(batch);
  std::string line = fmt::format("batch {} {}: {} of {}", batch.number(), stage_word(batch),
                                 batch.settled(), batch.sagas());
  if (!settled.empty()) line += fmt::format(" ({})", settled);
  if (const auto following = count_of(batch, "following"); following > 0) {
    line += fmt::format(", {} under way", following);
  }
  return line;
}

std::string batches_table(const Terminal& terminal, const v1::ListBatchesResponse& list,
                          bool wide) {
  if (list.batches().empty()) return "there are no batches\n";
  std::vector<std::vector<Cell>> rows;
  for (const v1::Batch& batch : list.batches()) {
    rows.push_back({{fmt::format("{}", batch.number())},
                    {act_word(batch.spec().act())},
                    {stage_word(batch)},
                    {fmt::format("{}/{}", batch.settled(), batch.sagas())},
                    {settled_words(batch)},
                    {batch.spec().actor()},
                    {utc_time(unix_ms(batch.began_at())).substr(0, 19)},
                    {batch.spec().filter()}});
  }
  return table(terminal,
               {{.title = "BATCH"},
                {.title = "ACT"},
                {.title = "STAGE"},
                {.title = "SETTLED"},
                {.title = "OUTCOMES", .shrinks = true},
                {.title = "BY", .shrinks = true},
                {.title = "BEGAN"},
                {.title = "FILTER", .shrinks = true}},
               rows, wide ? 0 : terminal.width);
}

std::string results_table(const Terminal& terminal, const v1::BatchResultsResponse& page,
                          bool wide) {
  if (page.results().empty()) return "there are no such results\n";
  std::vector<std::vector<Cell>> rows;
  for (const auto& result : page.results()) {
    const bool another =
        !result.followed_saga_id().empty() && result.followed_saga_id() != result.saga_id();
    rows.push_back({{result.saga_id()},
                    {result.outcome()},
                    {another ? result.followed_saga_id() : ""},
                    {result.why()}});
  }
  return table(terminal,
               {{.title = "SAGA"},
                {.title = "OUTCOME"},
                {.title = "AS SAGA"},
                {.title = "WHY", .shrinks = true}},
               rows, wide ? 0 : terminal.width);
}

}  // namespace skald::ctl
