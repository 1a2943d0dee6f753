// Changes one JSON value by another one, as RFC 7396 says.
#pragma once

#include <google/protobuf/struct.pb.h>

namespace skald::api {

/// Members of an object are merged, null takes one away, anything else replaces what was there.
void merge_patch(const google::protobuf::Value& patch, google::protobuf::Value& target);

}  // namespace skald::api
