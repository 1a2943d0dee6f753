#include "engine/shard/definitions.h"

namespace skald {

DefinitionTable::DefinitionTable(std::vector<DefinitionPtr> registered, InlineReader read_inline)
    : read_inline_(std::move(read_inline)) {
  for (DefinitionPtr& definition : registered) {
    auto& slot = by_name_[definition->name][definition->version];
    slot = std::move(definition);
  }
}

DefinitionPtr DefinitionTable::find(std::string_view name, std::uint32_t version) const {
  const auto versions = by_name_.find(name);
  if (versions == by_name_.end()) return nullptr;
  if (version == 0) return versions->second.rbegin()->second;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? nullptr : found->second;
}

DefinitionPtr DefinitionTable::of_saga(const std::string& name, std::uint32_t version,
                                       const Bytes& source) const {
  if (source.empty()) return find(name, version);
  if (!read_inline_) return nullptr;
  auto definition = read_inline_(source);
  return definition ? *definition : nullptr;
}

std::vector<DefinitionPtr> DefinitionTable::all() const {
  std::vector<DefinitionPtr> result;
  for (const auto& [name, versions] : by_name_) {
    for (const auto& [version, definition] : versions) result.push_back(definition);
  }
  return result;
}

}  // namespace skald
