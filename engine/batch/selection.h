// Selection: which sagas a filter means just now, and what an act would do to each. Blocks; belongs
// on threads that may.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch/saga_acts.h"
#include "engine/runtime/engine.h"

namespace skald::batch {

/// What a batch would do, counted.
struct Preview {
  struct Group {
    Verdict::Kind kind = Verdict::Kind::acts;
    std::string why;
    std::uint64_t sagas = 0;
    SagaId example;
  };
  std::uint64_t sagas = 0;
  std::vector<Group> groups;  // the largest first, at most kGroupsMax
};
inline constexpr std::size_t kGroupsMax = 50;  // beyond it, the rest of a kind is one group

/// Calls the engine and waits. Pre: not on an engine thread; the engine is not being drained.
template <class T, class Call>
[[nodiscard]] Result<T> waited(Call call) {
  std::promise<Result<T>> promise;
  auto result = promise.get_future();
  call([promise = std::move(promise)](Result<T> answer) mutable {
    promise.set_value(std::move(answer));
  });
  return result.get();
}

/// `stopped` ends it early, with an error.
using Stopped = std::function<bool()>;

/// In the order of their start. Errors: invalid_argument (the filter), resource_exhausted
/// (kBatchSagasMax), the store's.
[[nodiscard]] Result<std::vector<SagaId>> choose_sagas(Engine& engine, const std::string& filter,
                                                       const Stopped& stopped);
[[nodiscard]] Result<Preview> preview_of(SagaActs& acts, const Spec& spec,
                                         const std::vector<SagaId>& sagas, const Stopped& stopped);

}  // namespace skald::batch
