// Inventory's methods: message -> model -> ledger. What they promise is in
// proto/mall/inventory.proto.
#pragma once

#include "participants/kit/service.h"

namespace skald::mall::inventory {

[[nodiscard]] kit::Service service();

}  // namespace skald::mall::inventory
