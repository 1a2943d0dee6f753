// The headers by which an engine tells a participant which operation of which saga a request is.
// Parsing only; what follows from them is barrier.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/http_message.h"

namespace skald::kit {

inline constexpr std::string_view kIdempotencyKeyHeader = "Idempotency-Key";
inline constexpr std::string_view kSagaIdHeader = "Skald-Saga-Id";
inline constexpr std::string_view kLegHeader = "Skald-Leg";
inline constexpr std::string_view kOperationHeader = "Skald-Operation";
/// In the answer: what the barrier did (see BarrierVerdict).
inline constexpr std::string_view kBarrierHeader = "Skald-Barrier";

inline constexpr std::size_t kKeyBytesMax = 256;  // an engine's keys have at most 128
inline constexpr std::size_t kSagaIdBytesMax = 64;
inline constexpr std::size_t kLegBytesMax = 256;

enum class Operation : std::uint8_t { action = 1, compensation, probe };

[[nodiscard]] std::string_view name(Operation operation);

/// One operation of one leg of one saga.
struct SagaCall {
  std::string key;  // the Idempotency-Key, unquoted
  Operation operation = Operation::action;
  /// From their headers, else from a key of the form {saga}/{leg}/{operation}. Both empty where
  /// neither says: then the key stands alone, and nothing can be undone by leg.
  std::string saga_id;
  std::string leg;
};

/// Nothing when there is no Idempotency-Key: a caller that keeps no keys, served unprotected.
/// The key is read as a quoted string (RFC 8941) or bare.
/// Errors: invalid_argument: an empty, oversized or malformed key, an unknown operation, an
/// oversized saga id or leg, or a saga id with a slash.
[[nodiscard]] Result<std::optional<SagaCall>> parse_saga_call(
    const std::vector<HttpHeader>& headers);

}  // namespace skald::kit
