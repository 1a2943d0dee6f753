// Inline definitions that came alike are one for as long as any saga uses it: a hundred thousand
// open sagas of one kind would have as many copies, and each would be parsed when its saga is
// loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/shard/definitions.h"

namespace skald {

/// Forgets definitions that nobody uses, and all when there are too many to remember. Thread: any.
class InlineDefinitions {
 public:
  static constexpr std::size_t kRememberedMax = 8'192;

  /// nullptr: none in use came as these bytes.
  [[nodiscard]] DefinitionPtr find(const Bytes& source);
  /// The one in use that came as the same bytes; otherwise this one, remembered.
  [[nodiscard]] DefinitionPtr share(DefinitionPtr definition);
  [[nodiscard]] std::size_t remembered() const;

 private:
  [[nodiscard]] DefinitionPtr find_locked(std::uint64_t hash, const Bytes& source) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::weak_ptr<const Definition>> by_hash_;
};

/// Reads by `read` what is not in use already. Pre: `definitions` outlives the reader.
[[nodiscard]] DefinitionTable::InlineReader shared_reader(InlineDefinitions& definitions,
                                                          DefinitionTable::InlineReader read);

}  // namespace skald
