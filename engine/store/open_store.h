// Picks a store by its address.
#pragma once

#include <memory>
#include <string_view>

#include "engine/base/log.h"
#include "engine/store/store.h"

namespace skald {

struct StoreOptions {
  std::uint64_t disk_reserve_bytes = 0;  // below it, commits that start sagas are refused
  Logger log;
};

/// "memory:"        gone with the process
/// "rocks:/dir"     a RocksDB directory, made if missing
/// Errors: invalid_argument (no such kind of store); otherwise as RocksStore::open.
[[nodiscard]] Result<std::unique_ptr<Store>> open_store(std::string_view address,
                                                        StoreOptions options = {});

}  // namespace skald
