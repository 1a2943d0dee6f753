// The orders' methods: message -> model -> ledger. What they promise is in proto/mall/order.proto.
#pragma once

#include "participants/kit/service.h"

namespace skald::mall::order {

[[nodiscard]] kit::Service service();

}  // namespace skald::mall::order
