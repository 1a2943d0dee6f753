// The definitions a shard can run: the registered ones by name and version, and inline ones rebuilt
// from the bytes stored with their saga.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/definition.h"

namespace skald {

/// Thread: const after construction; any thread.
class DefinitionTable {
 public:
  using InlineReader = std::function<Result<DefinitionPtr>(const Bytes& source)>;

  DefinitionTable(std::vector<DefinitionPtr> registered, InlineReader read_inline);

  /// nullptr: not registered. Version 0: the newest.
  [[nodiscard]] DefinitionPtr find(std::string_view name, std::uint32_t version) const;
  /// The definition of a stored saga, inline or registered; nullptr: missing.
  [[nodiscard]] DefinitionPtr of_saga(const std::string& name, std::uint32_t version,
                                      const Bytes& source) const;
  [[nodiscard]] std::vector<DefinitionPtr> all() const;

 private:
  std::map<std::string, std::map<std::uint32_t, DefinitionPtr>, std::less<>> by_name_;
  InlineReader read_inline_;
};

}  // namespace skald
