// The list of shipped definitions; see the header.
#include "sagas/registry.h"

#include "engine/base/check.h"
#include "sagas/cancel_order.h"
#include "sagas/create_order.h"
#include "sagas/create_order_chain.h"

namespace skald::sagas {

std::vector<DefinitionPtr> all_definitions() {
  std::vector<DefinitionPtr> out;
  for (const auto& make : {cancel_order, create_order, create_order_chain, order_parallel}) {
    auto built = make();
    SKALD_CHECK(built.has_value(), "{}", built.error().message);
    out.push_back(std::move(*built));
  }
  return out;
}

}  // namespace skald::sagas
