// Protobuf messages as the bytes the core keeps: canonical, so that the same facts always give the
// same bytes. What a request contains is the definition's business; how it travels, the
// transport's.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/core/definition.h"

namespace skald::dsl {

/// The canonical bytes of a message in the form its method speaks: protobuf for connect_proto, JSON
/// with proto3 names for connect_json, JSON with the names of the .proto file for http_json.
/// Deterministic within one build of protobuf, maps included.
[[nodiscard]] Bytes encode(const google::protobuf::Message& message,
                           Protocol protocol = Protocol::connect_proto);

/// Reads what a participant answered. Fields it does not know are ignored in either form.
/// Errors: data_loss, naming the message type and never the bytes.
[[nodiscard]] Result<void> decode(std::string_view bytes, Protocol protocol,
                                  google::protobuf::Message& message);

/// Reads a client's input. Unknown JSON fields are refused, unknown protobuf fields dropped; empty
/// JSON is the empty message. Errors: invalid_argument naming the field, never its value.
[[nodiscard]] Result<void> read_input(InputForm form, std::string_view input,
                                      google::protobuf::Message& message);

/// JSON on one line, for people. Bytes that are no such message are shown as their size.
[[nodiscard]] std::string print(const Bytes& bytes, Protocol protocol,
                                const google::protobuf::Message& prototype);

}  // namespace skald::dsl
