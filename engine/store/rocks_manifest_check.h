// Reads CURRENT and the manifest it names before RocksDB does. RocksDB alone takes a directory
// without CURRENT for a new one, forgives a manifest that was cut short, and refuses one whose
// last, never synced record is torn.
//
// A manifest is a log (rocks_log_format.h) of changes to the set of tables. RocksDB syncs each
// before it relies on it; what is torn at the end was never relied on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/store/rocks_torn_tail.h"

namespace skald::rocks {

struct ManifestCheck {
  std::string name;          // without its folder
  std::uint64_t number = 0;  // of the name
  std::uint64_t end = 0;     // of the last whole record
  std::optional<TornTail> torn;
};

/// nullopt: nothing was ever stored here.
/// Errors: data_loss (no CURRENT beside tables; CURRENT is damaged or names a file that is not
///         there; damage of the manifest that is no torn tail: file, offset and what is wrong);
///         unavailable (a file cannot be read).
[[nodiscard]] Result<std::optional<ManifestCheck>> check_manifest(rocksdb::FileSystem& files,
                                                                  const std::string& directory);

/// The number of a manifest's name, "MANIFEST-000012"; nullopt: it is none.
[[nodiscard]] std::optional<std::uint64_t> manifest_number(std::string_view name);

}  // namespace skald::rocks
