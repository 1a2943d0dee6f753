#include "engine/runtime/inline_definitions.h"

#include <utility>

#include "engine/base/hash.h"

namespace skald {

DefinitionPtr InlineDefinitions::find_locked(std::uint64_t hash, const Bytes& source) const {
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  DefinitionPtr known = found->second.lock();
  return known && known->source == source ? known : nullptr;
}

DefinitionPtr InlineDefinitions::find(const Bytes& source) {
  const std::uint64_t hash = hash64(source);
  const std::lock_guard lock(mutex_);
  return find_locked(hash, source);
}

DefinitionPtr InlineDefinitions::share(DefinitionPtr definition) {
  if (definition->source.empty()) return definition;  // nothing says what it is
  const std::uint64_t hash = hash64(definition->source);
  const std::lock_guard lock(mutex_);
  if (DefinitionPtr known = find_locked(hash, definition->source)) return known;
  if (by_hash_.size() >= kRememberedMax) {
    std::erase_if(by_hash_, [](const auto& entry) { return entry.second.expired(); });
    // Where nearly all are in use they differ from saga to saga: sharing them is worth nothing.
    if (by_hash_.size() > kRememberedMax / 2) by_hash_.clear();
  }
  by_hash_.insert_or_assign(hash, definition);
  return definition;
}

std::size_t InlineDefinitions::remembered() const {
  const std::lock_guard lock(mutex_);
  return by_hash_.size();
}

DefinitionTable::InlineReader shared_reader(InlineDefinitions& definitions,
                                            DefinitionTable::InlineReader read) {
  if (!read) return nullptr;
  return [&definitions, read = std::move(read)](const Bytes& source) -> Result<DefinitionPtr> {
    if (DefinitionPtr known = definitions.find(source)) return known;
    auto definition = read(source);
    if (!definition) return definition;
    return definitions.share(std::move(*definition));
  };
}

}  // namespace skald
