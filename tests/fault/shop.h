// The shop: the mall's participants as one model in memory, with rows and a barrier, and one
// trouble it makes on purpose. It outlives every crash of the engine and keeps the books that are
// judged.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/shard/invocation.h"

namespace skald::fault {

enum class Trouble : std::uint8_t {
  none,
  refused,         // business no, for ever under this key
  not_executed,    // refused once before it ran
  request_lost,    // the first one never arrives: a timeout
  reply_lost,      // the first one is done, and nobody hears of it: a timeout
  lost_then_down,  // the same; then it refuses to run anything until the operation's time is over
  canceled,        // no trouble of its own: a person cancels the saga while the first one is out
};

[[nodiscard]] std::string_view name(Trouble trouble);

/// Which operation of which leg is in trouble.
struct Place {
  std::string leg;
  Operation operation = Operation::action;
  auto operator<=>(const Place&) const = default;
};

struct Effects {
  int done = 0;
  int undone = 0;
};

struct Answer {
  Outcome outcome;
  Bytes body;
  Millis after{1};  // the time it takes, or the attempt's whole time where nobody answers
};

class Shop {
 public:
  Shop(std::map<Place, Trouble> troubles) : troubles_(std::move(troubles)) {}

  /// One attempt arrives, or does not.
  Answer receive(Instant now, const Invocation& call);
  /// Legs whose effect stands now.
  [[nodiscard]] std::vector<std::string> standing() const;
  /// What does not hold of the rows and the books, the saga having ended like this.
  [[nodiscard]] std::vector<std::string> findings(bool completed) const;
  [[nodiscard]] const std::vector<std::string>& outrages() const { return outrages_; }

  static constexpr std::int64_t kUser = 11;
  static constexpr std::int64_t kCoupon = 5;
  static constexpr std::int64_t kSkus[] = {7, 8};
  static constexpr int kQuantity = 2;

 private:
  struct Stock {
    int available = 10;
    int locked = 0;
  };

  Answer trouble(Instant now, const Invocation& call, Trouble& planned);
  Answer execute(const Invocation& call);
  Answer pass_barrier(const Invocation& call);
  Answer ask(const Invocation& call) const;
  /// Empty: the rows refuse it.
  std::optional<Bytes> change(const Invocation& call);
  bool move_order(int from, int to);

  std::map<Place, Trouble> troubles_;
  std::map<Place, Instant> down_until_;
  std::map<std::int64_t, Stock> stock_ = {{kSkus[0], {}}, {kSkus[1], {}}};
  std::map<std::int64_t, int> cart_ = {{kSkus[0], kQuantity}, {kSkus[1], kQuantity}};
  std::optional<int> order_;  // its status
  bool coupon_used_ = false;

  std::map<std::string, Answer> answers_;   // by key
  std::map<std::string, Bytes> requests_;   // by key: the same on every attempt
  std::map<std::string, bool> closed_;      // by leg: undone, or undone before it ran
  std::map<std::string, Effects> effects_;  // by leg
  std::vector<std::string> outrages_;
};

}  // namespace skald::fault
