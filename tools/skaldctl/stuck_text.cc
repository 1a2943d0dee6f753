#include "tools/skaldctl/stuck_text.h"

#include <fmt/format.h>

#include <vector>

#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr std::size_t kIndent = 7;

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::vector<Column> columns_by(v1::GroupBy::Value by) {
  std::vector<Column> columns{{.title = "COUNT"}, {.title = "OLDEST"}, {.title = "NEWEST"}};
  if (by != v1::GroupBy::participant) {
    columns.push_back({.title = "DEFINITION", .shrinks = true});
    columns.push_back({.title = "STEP", .shrinks = true});
  }
  if (by != v1::GroupBy::step) columns.push_back({.title = "PARTICIPANT", .shrinks = true});
  if (by == v1::GroupBy::cause) columns.push_back({.title = "OUTCOME"});
  return columns;
}

/// "rejected", or with the operation where it is not the action: "undo rejected".
std::string outcome_cell(const v1::FailureClass& failure) {
  const std::string outcome = outcome_word(failure.outcome());
  if (failure.operation() == "compensation") return "undo " + outcome;
  if (failure.operation() == "probe") return "probe " + outcome;
  return outcome;
}

std::vector<Cell> cells_of(const v1::FailureGroup& group, v1::GroupBy::Value by,
                           std::int64_t now_ms) {
  const v1::FailureClass& failure = group.failure();
  std::vector<Cell> cells{{fmt::format("{:>5}", group.count()), Tone::strong},
                          {short_duration(now_ms - unix_ms(group.oldest_started_at()))},
                          {short_duration(now_ms - unix_ms(group.newest_started_at()))}};
  if (by != v1::GroupBy::participant) {
    cells.push_back({or_dash(group.definition())});
    cells.push_back({or_dash(failure.step())});
  }
  if (by != v1::GroupBy::step) cells.push_back({or_dash(failure.participant())});
  if (by == v1::GroupBy::cause) cells.push_back({outcome_cell(failure), Tone::bad});
  return cells;
}

std::string reason_of(const v1::FailureClass& failure) {
  if (failure.code().empty() || failure.message().empty()) {
    return failure.code() + failure.message();
  }
  return failure.code() + ": " + failure.message();
}

std::string below(const Terminal& terminal, const v1::FailureGroup& group, v1::GroupBy::Value by) {
  const std::string indent(kIndent, ' ');
  std::string out;
  if (by == v1::GroupBy::cause) {
    std::string reason = reason_of(group.failure());
    if (reason.empty()) reason = "not classified: it has not been written since causes are kept";
    out += indent + wrapped(reason, terminal.width, kIndent) + "\n";
  }
  // Not wrapped: it is there to be copied.
  out +=
      indent +
      terminal.toned(Tone::dim, fmt::format("skaldctl list -Q {}", shell_quoted(group.filter()))) +
      "\n";
  out += indent +
         terminal.toned(Tone::dim, fmt::format("skaldctl show {}", group.example_saga_id())) + "\n";
  return out;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string group_name(const v1::FailureGroup& group, v1::GroupBy::Value by) {
  if (by == v1::GroupBy::step) return group.failure().step();
  if (by == v1::GroupBy::participant) return group.failure().participant();
  return group.failure().cause();
}

std::string groups_text(const Terminal& terminal, const v1::StuckGroupsResponse& groups,
                        v1::GroupBy::Value by, std::int64_t now_ms) {
  if (groups.groups().empty()) return "no such sagas\n";
  std::vector<std::vector<Cell>> rows;
  for (const v1::FailureGroup& group : groups.groups()) {
    rows.push_back(cells_of(group, by, now_ms));
  }
  const std::string drawn = table(terminal, columns_by(by), rows, terminal.width);
  // Each line of the table is followed by what belongs to its group.
  std::string out;
  std::string_view rest = drawn;
  for (int line = -1; line < groups.groups_size(); ++line) {
    const std::size_t end = rest.find('\n') + 1;
    out += rest.substr(0, end);
    rest.remove_prefix(end);
    if (line >= 0) out += below(terminal, groups.groups(line), by);
  }
  const std::string_view kind = by == v1::GroupBy::step          ? "step"
                                : by == v1::GroupBy::participant ? "participant"
                                                                 : "cause";
  out += fmt::format(
      "\n{} in {}\n", counted(groups.sagas(), "saga", "sagas"),
      counted(static_cast<std::uint64_t>(groups.groups_size()), kind, std::string(kind) + "s"));
  return out;
}

}  // namespace skald::ctl
