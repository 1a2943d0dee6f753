// JSON as this system reads and writes it: RFC 8259 and nothing looser, bounded in depth, with
// protobuf's JSON mapping on top. Which messages exist is not here.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace skald::wire {

/// Objects and arrays inside each other; deeper text is refused. Source: reliability.md section 6.
inline constexpr int kJsonDepthMax = 64;

struct JsonFault {
  std::size_t offset = 0;  // bytes from the start of the text
  std::string_view what;   // a constant: never a part of the text
};

/// The first place where `text` is not one JSON value; nullopt when it is. Pure, no allocation.
[[nodiscard]] std::optional<JsonFault> find_json_fault(std::string_view text);

/// The string member `key` of the object that `text` is, unescaped; nullopt when the text is not a
/// JSON object or has no such string.
[[nodiscard]] std::optional<std::string> json_string_member(std::string_view text,
                                                            std::string_view key);

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Shortens `text` to at most `size_max` bytes without cutting through a character.
void cut_utf8(std::string& text, std::size_t size_max);

/// proto3 JSON into `message`: 64-bit integers as strings or numbers, unknown fields and members
/// that are there twice refused.
/// Errors: invalid_argument naming the byte or the field, never the payload.
[[nodiscard]] Result<void> message_from_json(std::string_view text,
                                             google::protobuf::Message& message);

/// proto3 JSON of `message`: 64-bit integers as strings, lowerCamelCase names, defaults left out.
/// Errors: internal, when a well-known type holds what JSON cannot say (a Timestamp of year 10000).
[[nodiscard]] Result<std::string> message_to_json(const google::protobuf::Message& message);

}  // namespace skald::wire
