// Promotion's methods: message -> model -> ledger. What they promise is in
// proto/mall/promotion.proto.
#pragma once

#include "participants/kit/service.h"

namespace skald::mall::promotion {

[[nodiscard]] kit::Service service();

}  // namespace skald::mall::promotion
