// Everything that a store answers, as text: two stores that tell the same hold the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/store/store.h"

namespace skald::storage {

enum class Detail : std::uint8_t {
  digest,  // of records their checksum
  bytes,   // all of them
};

/// Every saga that the list or `known` names, its records and keys, the rows of the indexes, the
/// timers and the counts, one fact a line. Errors: the first that a read answers.
[[nodiscard]] Result<std::string> tell(Store& store, Detail detail = Detail::digest,
                                       std::span<const SagaId> known = {});

}  // namespace skald::storage
