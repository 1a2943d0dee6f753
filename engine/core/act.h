// Acts: what a person may ask of a saga, and who asks. Which of them is legal when is decided in
// legal_acts.h; what each leads to, in rules_operator.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skald {

/// Who acted, for acts of people and clients. Unverified until there is authentication.
struct Actor {
  std::string name;
  std::string reason;
  bool operator==(const Actor&) const = default;
};

/// Sent by name.
enum class ActKind : std::uint8_t {
  retry = 1,      // try what is stuck or waiting again now
  pause = 2,      // begin nothing new; what is in flight is answered and recorded
  resume = 3,     // go on where it was paused
  cancel = 4,     // turn back and undo
  skip = 5,       // a leg that was not done shall not be done
  resolve = 6,    // say of a leg in doubt whether it happened
  amend = 7,      // change the request or the endpoint of a pending leg
  mark_done = 8,  // a leg's compensation was done by hand
  abandon = 9,    // close the saga as it is
};
inline constexpr ActKind kActKinds[] = {ActKind::retry,  ActKind::pause,     ActKind::resume,
                                        ActKind::cancel, ActKind::skip,      ActKind::resolve,
                                        ActKind::amend,  ActKind::mark_done, ActKind::abandon};

/// As it is typed: "mark-done".
[[nodiscard]] std::string_view name(ActKind act);
/// It overrides what Skald knows, so it says why.
[[nodiscard]] bool requires_reason(ActKind act);
/// It is about one leg; a retry may be.
[[nodiscard]] bool requires_leg(ActKind act);

/// The newest act of a person: told to whoever comes second.
struct LastAct {
  ActKind act = ActKind::retry;
  std::uint64_t seq = 0;  // of its event
  std::string actor;
  bool operator==(const LastAct&) const = default;
};

}  // namespace skald
