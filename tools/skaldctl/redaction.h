// An export without what customers and people said: shapes, types and lengths stay.
#pragma once

#include <google/protobuf/message.h>

namespace skald::ctl {

/// Replaces every JSON payload leaf, and every text that is no name, code or id of the engine's.
void redact(google::protobuf::Message& message);

}  // namespace skald::ctl
