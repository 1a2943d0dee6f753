#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/core/evolve.h"
#include "engine/core/folding.h"
#include "engine/core/owed.h"
#include "engine/wire/stored.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

/// A whole value with a good checksum around any body.
std::string framed(std::string_view body) {
  std::string bytes(1, static_cast<char>(wire::kStoredVersion));
  bytes.append(body);
  const std::uint32_t crc = crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(crc >> shift));
  return bytes;
}

constexpr std::uint16_t kStepsTried = 64;  // a saga of 65,535 steps costs time and shows no more

bool small(const Event& event) {
  const auto* started = std::get_if<event::Started>(&event.body);
  return started == nullptr || started->steps <= kStepsTried;
}

void fold(const std::vector<Event>& events) {
  if (!std::ranges::all_of(events, small)) return;
  SagaState state;
  std::uint64_t count = 0;
  for (const Event& event : events) {
    if (!fits(state, event)) return;
    count += events_in(event);
    static_cast<void>(is_repeat(state, event));
    evolve(state, event);
    static_cast<void>(next_wake(state, event.at));
  }
  SKALD_CHECK(state.seq == count);
}

void check_events(std::string_view bytes) {
  const auto events = wire::decode_events(bytes);
  SKALD_CHECK(events || events.error().code == Errc::data_loss);
  if (!events) return;
  std::string written;
  wire::encode_events(*events, written);
  const auto again = wire::decode_events(written);
  SKALD_CHECK(again.has_value() && *again == *events);
  std::string twice;
  wire::encode_events(*again, twice);
  SKALD_CHECK(twice == written, "equal events give equal bytes");
  fold(*events);
}

void check_summary(std::string_view bytes) {
  const auto summary = wire::decode_summary(bytes);
  SKALD_CHECK(summary || summary.error().code == Errc::data_loss);
  if (!summary) return;
  std::string written;
  wire::encode_summary(*summary, written);
  const auto again = wire::decode_summary(written);
  SKALD_CHECK(again.has_value() && *again == *summary);
}

}  // namespace

void stored_record(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const std::string bytes = (choice & 1) != 0 ? std::string(input) : framed(input);
  SKALD_CHECK((choice & 1) != 0 || wire::check_stored(bytes).has_value());
  if ((choice & 2) != 0) {
    check_summary(bytes);
  } else {
    check_events(bytes);
  }
}

}  // namespace skald::fuzz
