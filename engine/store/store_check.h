// What a check of a store asks and finds: every record is folded, and every row is held against
// what the histories say it should be.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// One thing that is wrong.
struct Finding {
  std::optional<SagaId> saga;  // absent: it is about no single saga
  std::string what;            // what is there
  std::string expected;        // what should be
  bool operator==(const Finding&) const = default;
};
inline constexpr std::size_t kFindingsMax = 1'000;  // told; beyond it they are only counted

struct CheckReport {
  std::uint64_t sagas = 0;
  std::uint64_t records = 0;
  std::uint64_t rows = 0;   // about sagas: index, timer, key and count rows
  std::uint64_t wrong = 0;  // things, told or not
  std::vector<Finding> findings;
};

/// One file of data that is sound.
struct ScannedFile {
  std::string name;
  std::uint64_t bytes = 0;
};

struct CheckOptions {
  /// The definition of a saga; null: not registered. Then what only it can tell is taken as stored.
  std::function<DefinitionPtr(const SagaState&)> definition_of;
  /// Asked now and then; true: give up, with Errc::canceled. May be empty.
  std::function<bool()> stopped;
  /// Called now and then with the sagas done so far; may be empty.
  std::function<void(std::uint64_t sagas)> progress;
};

}  // namespace skald
