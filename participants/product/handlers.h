// The catalogue's methods: message -> model -> ledger. What they promise is in
// proto/mall/product.proto.
#pragma once

#include "participants/kit/service.h"

namespace skald::mall::product {

[[nodiscard]] kit::Service service();

}  // namespace skald::mall::product
