// Payloads in the form people write: google.protobuf.Value and JSON text. Both directions are exact
// or refused; nothing is rounded on the way. What the bytes mean is the definition's business.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace skald::api {

/// Integers beyond it do not survive a double: 2^53 - 1, as in RFC 8259 section 6.
inline constexpr double kExactIntegerMax = 9007199254740991.0;

/// Canonical JSON text of a Value: keys sorted, no spaces, integers without a point. Two Values
/// that are equal give the same text. Errors: invalid_argument, naming the place below `field`: a
/// number that is not finite or not exact as a double (integers beyond 2^53 must be sent as
/// strings), or deeper than wire::kJsonDepthMax.
[[nodiscard]] Result<std::string> json_text(const google::protobuf::Value& value,
                                            std::string_view field);

/// Reads JSON text into `value`. Integers beyond 2^53 become strings.
/// False when `text` is not JSON; `value` is then unspecified.
[[nodiscard]] bool read_json(std::string_view text, google::protobuf::Value& value);

}  // namespace skald::api
