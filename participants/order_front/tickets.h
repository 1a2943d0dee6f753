// Tickets: what a user's key was given, once and for all: the order number and the hash of the
// request. A ticket is on disk before anything is submitted under it, so a repeated request finds
// its number again, whatever crashed in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "participants/kit/txn.h"

namespace skald::mall::order_front {

inline constexpr std::string_view kTicketPrefix = "t/";    // Stored. Never another kind of row.
inline constexpr std::string_view kByNumberPrefix = "n/";  // Stored. Never another kind of row.
inline constexpr std::string_view kSnowflakeRow = "s";     // Stored. Never another kind of row.

struct Ticket {
  std::int64_t user_id = 0;
  std::string key;
  std::string order_id;
  std::uint64_t request_hash = 0;
  Instant at{};
  bool operator==(const Ticket&) const = default;
};

struct TicketRequest {
  std::int64_t user_id = 0;
  std::string key;
  std::uint64_t request_hash = 0;
  std::int32_t worker = 0;
};

/// The ticket, or how long to wait before asking again (see next_number()).
using TicketAnswer = std::variant<Ticket, Millis>;

/// The ticket of (user, key), given now if there is none.
/// Errors: already_exists, the key was used for another request.
[[nodiscard]] Result<TicketAnswer> take_ticket(kit::Txn& txn, const TicketRequest& request);

[[nodiscard]] std::optional<Ticket> find_ticket(kit::Txn& txn, std::string_view order_id);

}  // namespace skald::mall::order_front
