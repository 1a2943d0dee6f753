#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/batch/batch_notes.h"
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

/// A value that is read, written and read again is the same; what is no value is lost data.
template <class Decode, class Encode>
void check_value(std::string_view bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  SKALD_CHECK(value || value.error().code == Errc::data_loss);
  if (!value) return;
  std::string written;
  encode(*value, written);
  const auto again = decode(written);
  SKALD_CHECK(again.has_value() && *again == *value);
}

void check_batch(std::string_view bytes) {
  const auto batch = batch::read_batch({.name = "batch/1", .value = std::string(bytes)});
  SKALD_CHECK(batch || batch.error().code == Errc::data_loss);
  if (!batch) return;
  const auto again = batch::read_batch(batch::batch_note(*batch));
  SKALD_CHECK(again.has_value() && *again == *batch);
}

void check_batch_sagas(std::string_view bytes) {
  const auto sagas = batch::read_sagas({.name = "batch-sagas/1", .value = std::string(bytes)});
  SKALD_CHECK(sagas || sagas.error().code == Errc::data_loss);
  if (!sagas) return;
  const auto again = batch::read_sagas(batch::sagas_note(1, 0, *sagas));
  SKALD_CHECK(again.has_value() && *again == *sagas);
}

void check_kind(unsigned kind, std::string_view bytes) {
  switch (kind) {
    case 1:
      return check_value(bytes, wire::decode_summary, wire::encode_summary);
    case 2:
      return check_value(bytes, wire::decode_hold, wire::encode_hold);
    case 3:
      return check_value(bytes, wire::decode_alert, wire::encode_alert);
    case 4:
      return check_value(bytes, wire::decode_cause, wire::encode_cause);
    default:
      return check_events(bytes);
  }
}

}  // namespace

void stored_record(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const unsigned kind = (choice >> 1U) & 7U;
  if (kind == 5) return check_batch(input);
  if (kind == 6) return check_batch_sagas(input);
  const bool whole = (choice & 1U) != 0;
  const std::string bytes = whole ? std::string(input) : framed(input);
  SKALD_CHECK(whole || wire::check_stored(bytes).has_value());
  check_kind(kind, bytes);
}

}  // namespace skald::fuzz
