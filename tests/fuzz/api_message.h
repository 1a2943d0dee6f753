// What the targets api_message and connect_call share: the kinds of request, and what is claimed of
// each body.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string_view>
#include <vector>

#include "engine/wire/connect.h"

namespace skald::fuzz {

/// Every procedure of the API.
[[nodiscard]] const std::vector<const google::protobuf::MethodDescriptor*>& api_methods();

/// Reads the body as such a message; if it is one, both its forms read back as the same.
void check_api_message(const google::protobuf::Descriptor& kind, wire::ConnectCodec codec,
                       std::string_view body);

}  // namespace skald::fuzz
