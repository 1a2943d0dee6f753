#include "engine/server/setting_values.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace skald::server {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// The largest first, as print_in_units() needs them.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"", 1}}};

template <std::size_t n>
Result<std::uint64_t> parse_in_units(std::string_view text, const std::array<Unit, n>& units,
                                     std::string_view forms) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  const auto unit = std::ranges::find(units, name, &Unit::name);
  if (error != std::errc{} || unit == units.end() ||
      count > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return fail(Errc::invalid_argument, "{}", forms);
  }
  return count * unit->factor;
}

template <std::size_t n>
std::string print_in_units(std::uint64_t value, const std::array<Unit, n>& units) {
  for (const Unit& unit : units) {
    if (value >= unit.factor && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.name);
    }
  }
  return fmt::format("0{}", units.back().name);
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) {
    return fail(Errc::invalid_argument, "expected a whole number");
  }
  return value;
}

Result<Millis> parse_duration(std::string_view text) {
  const auto ms =
      parse_in_units(text, kDurationUnits, "expected a duration: 500ms, 30s, 5m, 12h, 7d");
  if (!ms) return std::unexpected(ms.error());
  return Millis{static_cast<std::int64_t>(*ms)};
}

std::string print_duration(Millis duration) {
  return print_in_units(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

Result<Millis> parse_retention(std::string_view text) {
  if (text == "forever") return Millis{0};
  const auto kept = parse_duration(text);
  if (!kept || *kept == Millis{0}) {
    return fail(Errc::invalid_argument, "expected \"forever\" or a duration: 12h, 30d");
  }
  return kept;
}

std::string print_retention(std::optional<Millis> kept) {
  return !kept || *kept == Millis{0} ? "forever" : print_duration(*kept);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_in_units(text, kSizeUnits, "expected a size: 4096, 64KiB, 256MiB, 1GiB");
}

std::string print_size(std::uint64_t bytes) { return print_in_units(bytes, kSizeUnits); }

Result<bool> parse_switch(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(Errc::invalid_argument, "expected true or false");
}

}  // namespace skald::server
