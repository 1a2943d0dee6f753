// OutboxQueue: what one webhook is still to be told, and when to try again. Pure: no clock, no
// thread; what is sent and how is in outbox.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "engine/core/definition.h"
#include "engine/shard/alert.h"

namespace skald {

struct OutboxPolicy {
  /// Between attempts of one alert, and between attempts to a receiver that fails.
  RetryPolicy retry{.initial = Millis{1'000}, .delay_max = Millis{60'000}};
  Millis give_up_after{3LL * 24 * 3'600'000};  // since it happened
  std::uint32_t in_flight_max = 4;
  std::uint32_t failures_to_slow = 3;  // in a row; then one at a time, until one arrives
};

/// What became of one attempt.
struct AlertReceipt {
  unsigned status = 0;  // of HTTP; 0: no answer
  std::string detail;   // one clause for people: "HTTP 503", "connect: connection refused"
  std::string body;     // the beginning of the answer. Never logged
  std::string event_id;
  Millis took{0};

  [[nodiscard]] bool is_told() const { return status >= 200 && status < 300; }
};

class OutboxQueue {
 public:
  explicit OutboxQueue(OutboxPolicy policy) : policy_(policy) {}

  struct Sending {
    std::uint64_t number = 0;  // of the alert in this queue
    const Alert* alert = nullptr;
  };
  enum class After : std::uint8_t { told = 1, again, given_up };

  struct Figures {
    std::size_t waiting = 0;  // in flight included
    std::uint64_t told = 0;
    std::uint64_t failed = 0;  // attempts
    std::uint64_t given_up = 0;
    std::uint32_t failures_in_a_row = 0;
    std::string last_failure;  // of the newest attempt that failed
    Instant tries_at{};        // of a receiver that fails
  };

  void add(Alert alert, Instant now);
  /// The next to be sent now, which is then in flight; none: nothing is due, or there is no room.
  [[nodiscard]] std::optional<Sending> next(Instant now);
  /// Pre: in flight. After told or given up the alert is gone. A test is never tried again.
  [[nodiscard]] After answered(std::uint64_t number, const AlertReceipt& receipt, Instant now);
  /// When next() may have something again; kNever: after an answer, or an alert.
  [[nodiscard]] Instant next_wake() const;
  [[nodiscard]] Figures figures() const;

 private:
  struct Item {
    Alert alert;
    std::uint32_t attempts = 0;
  };
  [[nodiscard]] bool is_slow() const { return failures_in_a_row_ >= policy_.failures_to_slow; }
  [[nodiscard]] Instant delayed(const Alert& alert, std::uint32_t repeats, std::uint32_t attempt,
                                Instant now) const;

  OutboxPolicy policy_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Item> items_;
  std::set<std::pair<Instant, std::uint64_t>> due_;  // not in flight
  std::uint32_t in_flight_ = 0;
  std::uint32_t failures_in_a_row_ = 0;
  Instant tries_at_{};
  Figures counted_;
};

}  // namespace skald
