// The fixed payload of an operation in a definition sent as data: from JSON value, JSON text or
// bytes to the body that is sent.
#pragma once

#include <google/protobuf/struct.pb.h>

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "skald/v1/definition.pb.h"

namespace skald::wire {

/// Integers of a google.protobuf.Value beyond it may already have been rounded.
inline constexpr double kExactIntegerMax = 9'007'199'254'740'992.0;  // 2^53

/// What an unspecified protocol means for a payload: connect_proto for raw bytes, else
/// connect_json.
[[nodiscard]] Protocol default_protocol(const v1::Payload& payload);

/// The body. An absent payload is the empty message of its protocol.
/// Errors: invalid_argument, saying what does not fit and never the payload. Pure.
[[nodiscard]] Result<Bytes> payload_bytes(const v1::Payload& payload, Protocol protocol);

/// JSON with sorted keys, so that equal values have equal bytes. Errors: invalid_argument for
/// numbers that are not finite or not exact, for values without a kind and beyond kJsonDepthMax.
[[nodiscard]] Result<std::string> canonical_json(const google::protobuf::Value& value);

}  // namespace skald::wire
