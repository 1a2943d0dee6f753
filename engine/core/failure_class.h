// FailureClass: the cause of a failure, told apart from its instances. Sagas that failed alike have
// the same class, so that a thousand stuck sagas are one line for the person on call.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// Names a class of failures: a hash of the definition's name and of everything in the class.
/// Stored in index rows and shown in filters: `cause = 3f2a9c11d0e4b7aa`. Never 0.
struct CauseId {
  std::uint64_t value = 0;

  static constexpr std::size_t kTextSize = 16;

  [[nodiscard]] std::string text() const;  // lower-case hexadecimal
  [[nodiscard]] static std::optional<CauseId> parse(std::string_view text);

  auto operator<=>(const CauseId&) const = default;
};

struct FailureClass {
  std::string step;         // empty: the saga as a whole (cancel, deadline, definition missing)
  std::string participant;  // empty: no call failed
  Operation operation = Operation::action;
  OutcomeKind outcome = OutcomeKind::unknown;
  std::string code;
  std::string message;  // normalised
  CauseId cause;

  bool operator==(const FailureClass&) const = default;
};

inline constexpr std::size_t kClassMessageMax = 160;  // bytes; longer text is cut

/// What a saga is stuck on (the first stuck operation in plan order), or why its way back began.
/// nullopt: nothing failed, or it completed.
/// `definition` is null where it is not registered. Pure. Cost: a pass over the legs of a stuck
/// saga; nothing for one that goes forward.
[[nodiscard]] std::optional<FailureClass> failure_class(const Definition* definition,
                                                        const SagaState& state);

/// The message without what differs from saga to saga: numbers, ids and times become `#`, quoted
/// text becomes `*`, white space one space. At most kClassMessageMax bytes.
/// Pure; twice is the same as once.
[[nodiscard]] std::string normalised_message(std::string_view message);

}  // namespace skald
