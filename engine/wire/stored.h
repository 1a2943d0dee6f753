// Stored values: events and index rows to bytes on disk and back. The schema is
// proto/stored/v1/stored.proto; where the bytes are kept is the store's business.
//
// Every value has one frame: a format version byte, the protobuf message, and the CRC-32C (4 bytes,
// little-endian) of all that precedes it. Encoding is by hand, because it is on the hot path and
// the bytes must be the same for the same value; decoding uses the generated code.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/event.h"
#include "engine/shard/alert.h"
#include "engine/shard/hold.h"
#include "engine/shard/transition.h"

namespace skald::wire {

/// The first byte of every stored value. A new frame gets a new number; old ones stay readable.
inline constexpr std::uint8_t kStoredVersion = 1;

/// Appends one record: the events of one transition, in order. Equal events give equal bytes.
/// Thread: any. Cost: about a microsecond for a few small events, one buffer, no allocation of its
/// own.
void encode_events(std::span<const Event> events, std::string& out);

/// Errors: data_loss naming what is wrong (frame, checksum, which event and field); never crashes,
/// whatever the bytes. Fields unknown here are ignored; an event kind unknown here is data_loss,
/// since a history cannot be folded without it.
[[nodiscard]] Result<std::vector<Event>> decode_events(std::string_view bytes);

/// The frame alone: whether `bytes` is a whole, undamaged value of a known version. Errors:
/// data_loss.
[[nodiscard]] Result<void> check_stored(std::string_view bytes);

/// Appends an index row's value.
void encode_summary(const SagaSummary& summary, std::string& out);
/// Errors: as decode_events().
[[nodiscard]] Result<SagaSummary> decode_summary(std::string_view bytes);

/// Appends the value of a note that holds a participant.
void encode_hold(const ParticipantHold& hold, std::string& out);
/// Errors: as decode_events().
[[nodiscard]] Result<ParticipantHold> decode_hold(std::string_view bytes);

/// Appends the value of a note of the outbox.
void encode_alert(const Alert& alert, std::string& out);
/// Errors: as decode_events().
[[nodiscard]] Result<Alert> decode_alert(std::string_view bytes);

/// What the sagas of one cause have in common.
struct StoredCause {
  std::string definition;
  std::optional<FailureClass> failure;  // none: sagas without one

  bool operator==(const StoredCause&) const = default;
};
/// Appends the value of a cause's row.
void encode_cause(const StoredCause& cause, std::string& out);
/// Errors: as decode_events().
[[nodiscard]] Result<StoredCause> decode_cause(std::string_view bytes);

}  // namespace skald::wire
