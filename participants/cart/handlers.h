// The cart's methods: message -> model -> ledger. What they promise is in proto/mall/cart.proto.
#pragma once

#include "participants/kit/service.h"

namespace skald::mall::cart {

[[nodiscard]] kit::Service service();

}  // namespace skald::mall::cart
