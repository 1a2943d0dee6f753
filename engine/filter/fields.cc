#include "engine/filter/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace skald::filter {
namespace {

constexpr std::array kRules{
    FieldRule{Field::id, "id", ValueKind::saga_id, "the saga's id"},
    FieldRule{Field::definition, "definition", ValueKind::text, "name of its definition"},
    FieldRule{Field::version, "version", ValueKind::number, "of its definition"},
    FieldRule{Field::status, "status", ValueKind::status, "running, stuck, completed, ..."},
    FieldRule{Field::waiting, "waiting", ValueKind::flag, "held by a timer or a signal"},
    FieldRule{Field::business_key, "business_key", ValueKind::text, "an order number"},
    FieldRule{Field::idempotency_key, "idempotency_key", ValueKind::text, "of its submission"},
    FieldRule{Field::step, "step", ValueKind::text, "the step that failed"},
    FieldRule{Field::participant, "participant", ValueKind::text, "who failed"},
    FieldRule{Field::operation, "operation", ValueKind::operation, "which operation of the step"},
    FieldRule{Field::outcome, "outcome", ValueKind::outcome, "how its last attempt ended"},
    FieldRule{Field::code, "code", ValueKind::text, "the participant's word for it"},
    FieldRule{Field::error, "error", ValueKind::text, "code and message of the failure"},
    FieldRule{Field::cause, "cause", ValueKind::cause, "the failure's class"},
    FieldRule{Field::age, "age", ValueKind::duration, "since it started"},
    FieldRule{Field::stuck_for, "stuck_for", ValueKind::duration, "since it became stuck"},
    FieldRule{Field::started, "started", ValueKind::time, "when it started"},
    FieldRule{Field::ended, "ended", ValueKind::time, "when it ended"},
};

template <class Enum>
struct Words {
  std::vector<std::string_view> names;
  std::vector<Enum> values;
};

template <class Enum>
Words<Enum> words_up_to(Enum last) {
  Words<Enum> words;
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(last); ++i) {
    words.values.push_back(static_cast<Enum>(i));
    words.names.push_back(skald::name(static_cast<Enum>(i)));
  }
  return words;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view near = nearest(word, known);
  if (near.empty()) return fmt::format("it is one of {}", fmt::join(known, ", "));
  return fmt::format("did you mean {}? It is one of {}", near, fmt::join(known, ", "));
}

template <class Enum>
std::expected<Value, std::string> read_enum(std::string_view what, Enum last,
                                            std::string_view text) {
  const Words<Enum> words = words_up_to(last);
  const auto found = std::ranges::find(words.names, text);
  if (found != words.names.end()) {
    return words.values[static_cast<std::size_t>(found - words.names.begin())];
  }
  return std::unexpected(
      fmt::format("there is no {} \"{}\"; {}", what, text, suggestion(text, words.names)));
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Unit {
  std::string_view name;
  std::int64_t ms = 1;
};
constexpr std::array kUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                            Unit{"s", 1'000},      Unit{"ms", 1},        Unit{"w", 604'800'000}};

/// "10m", "1h30m".
std::optional<Millis> duration_of(std::string_view text) {
  constexpr std::int64_t kMost = 3'650LL * 86'400'000;
  Millis total{0};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = number_of(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::size_t letters = std::min(text.find_first_of("0123456789"), text.size());
    const auto unit = std::ranges::find(kUnits, text.substr(0, letters), &Unit::name);
    if (!count || unit == kUnits.end()) return std::nullopt;
    if (*count > static_cast<std::uint64_t>(kMost / unit->ms)) return std::nullopt;
    total += Millis{static_cast<std::int64_t>(*count) * unit->ms};
    if (total.count() > kMost) return std::nullopt;
    text.remove_prefix(letters);
  }
  return total;
}

/// Takes `digits` digits and what must follow them off the front.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t digits) {
  const auto number = number_of(text.substr(0, digits));
  if (text.size() < digits || !number) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<unsigned>(*number);
}
bool take(std::string_view& text, char mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(1);
  return true;
}

/// "T12:45", "T12:45:03", "T12:45:03.120", each with or without a Z behind it.
std::optional<Millis> time_of_day(std::string_view text) {
  if (text.empty()) return Millis{0};
  if (!take(text, 'T')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  Millis time = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (take(text, ':')) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    time += std::chrono::seconds{*second};
    if (take(text, '.')) {
      const auto milli = take_digits(text, 3);
      if (!milli) return std::nullopt;
      time += Millis{*milli};
    }
  }
  take(text, 'Z');
  if (!text.empty()) return std::nullopt;
  return time;
}

std::optional<Instant> time_of(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month}, std::chrono::day{*day}};
  const auto rest = time_of_day(text);
  if (!date.ok() || !rest) return std::nullopt;
  return Instant{std::chrono::sys_days{date}.time_since_epoch() + *rest};
}

std::string duration_text(Millis duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.ms == 0) {
      return fmt::format("{}{}", duration.count() / unit.ms, unit.name);
    }
  }
  return fmt::format("{}ms", duration.count());
}

std::string time_text(Instant at) {
  using std::chrono::days;
  const auto day = std::chrono::floor<days>(at.time_since_epoch());
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  const std::chrono::hh_mm_ss<Millis> time{at.time_since_epoch() - day};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()},
                                 unsigned{date.month()}, unsigned{date.day()}, time.hours().count(),
                                 time.minutes().count(), time.seconds().count());
  if (time.subseconds().count() != 0) text += fmt::format(".{:03}", time.subseconds().count());
  return text + "Z";
}

/// How many letters differ, are missing, are too many or are swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

template <class T>
std::expected<Value, std::string> read_or(std::optional<T> value, std::string_view text,
                                          std::string_view form) {
  if (value) return *value;
  return std::unexpected(fmt::format("\"{}\" is not {}", text, form));
}

}  // namespace

std::span<const FieldRule> field_rules() { return kRules; }

const FieldRule& rule_of(Field field) { return kRules.at(static_cast<std::size_t>(field) - 1); }

const FieldRule* find_field(std::string_view name) {
  const auto found = std::ranges::find(kRules, name, &FieldRule::name);
  return found == kRules.end() ? nullptr : &*found;
}

std::string_view name(Compare compare) {
  switch (compare) {
    case Compare::equal:
      return "=";
    case Compare::not_equal:
      return "!=";
    case Compare::one_of:
      return "in";
    case Compare::contains:
      return "~";
    case Compare::greater:
      return ">";
    case Compare::at_least:
      return ">=";
    case Compare::less:
      return "<";
    case Compare::at_most:
      return "<=";
  }
  return "=";
}

bool allows(ValueKind kind, Compare compare) {
  if (compare == Compare::equal || compare == Compare::not_equal) return true;
  switch (kind) {
    case ValueKind::text:
      return compare == Compare::one_of || compare == Compare::contains;
    case ValueKind::number:
      return compare != Compare::contains;
    case ValueKind::flag:
      return false;
    case ValueKind::status:
    case ValueKind::operation:
    case ValueKind::outcome:
    case ValueKind::cause:
    case ValueKind::saga_id:
      return compare == Compare::one_of;
    case ValueKind::duration:
    case ValueKind::time:
      return compare != Compare::contains && compare != Compare::one_of;
  }
  return false;
}

std::expected<Value, std::string> read_value(ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::text:
      return std::string(text);
    case ValueKind::number:
      return read_or(number_of(text), text, "a number");
    case ValueKind::flag:
      if (text == "true" || text == "false") return text == "true";
      return std::unexpected(fmt::format("\"{}\" is neither true nor false", text));
    case ValueKind::status:
      return read_enum("status", SagaStatus::abandoned, text);
    case ValueKind::operation:
      return read_enum("operation", Operation::probe, text);
    case ValueKind::outcome:
      return read_enum("outcome", OutcomeKind::pending, text);
    case ValueKind::cause:
      return read_or(CauseId::parse(text), text, "a cause: 16 hexadecimal digits");
    case ValueKind::saga_id:
      return read_or(SagaId::parse(text), text, "a saga's id: 26 characters of base32");
    case ValueKind::duration:
      return read_or(duration_of(text), text, "a duration: write 30s, 10m, 2h or 3d");
    case ValueKind::time:
      return read_or(time_of(text), text,
                     "a time in UTC: write 2026-11-22 or 2026-11-22T12:45:03Z");
  }
  return std::unexpected(std::string("is not a value"));
}

std::string value_text(const Value& value) {
  struct Text {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::uint64_t number) const { return fmt::format("{}", number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(SagaStatus status) const { return std::string(skald::name(status)); }
    std::string operator()(Operation operation) const {
      return std::string(skald::name(operation));
    }
    std::string operator()(OutcomeKind kind) const { return std::string(skald::name(kind)); }
    std::string operator()(CauseId cause) const { return cause.text(); }
    std::string operator()(const SagaId& id) const { return id.text(); }
    std::string operator()(Millis duration) const { return duration_text(duration); }
    std::string operator()(Instant at) const { return time_text(at); }
  };
  return std::visit(Text{}, value);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t kWordMax = 40;  // longer ones are no misspelling
  constexpr std::size_t kDistanceMax = 2;
  std::string_view best;
  std::size_t least = kDistanceMax + 1;
  if (word.size() > kWordMax) return best;
  for (const std::string_view candidate : known) {
    const std::size_t far = distance(word, candidate);
    if (far < least && far < candidate.size()) {
      best = candidate;
      least = far;
    }
  }
  return best;
}

}  // namespace skald::filter
