#include "engine/store/open_store.h"

#include "engine/store/memory_store.h"
#include "engine/store/rocks_store.h"

namespace skald {

Result<std::unique_ptr<Store>> open_store(std::string_view address, StoreOptions options) {
  constexpr std::string_view kMemory = "memory:";
  constexpr std::string_view kRocks = "rocks:";
  if (address == kMemory) return std::make_unique<MemoryStore>();
  if (address.starts_with(kRocks) && address.size() > kRocks.size()) {
    RocksOptions rocks{.directory = std::string(address.substr(kRocks.size())),
                       .disk_reserve_bytes = options.disk_reserve_bytes,
                       .log = std::move(options.log)};
    auto store = RocksStore::open(std::move(rocks));
    if (!store) return std::unexpected(store.error());
    return std::move(*store);
  }
  return fail(Errc::invalid_argument, "store \"{}\" is neither \"memory:\" nor \"rocks:/dir\"",
              address);
}

}  // namespace skald
