// In-flight limits: how many attempts may be with a participant at once, and who waits for room. An
// intent is written only when there is room (rule 1), so the limit is the shard's business.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/core/decide.h"

namespace skald {

struct QueuedWant {
  SagaId saga;
  Want want;
};

class Gates {
 public:
  /// `limit_of` gives a participant's limit on this shard, >= 1.
  explicit Gates(std::function<std::uint32_t(std::string_view participant)> limit_of)
      : limit_of_(std::move(limit_of)) {}

  [[nodiscard]] std::uint32_t index_of(const std::string& participant);

  /// Takes room for one attempt. Urgent ones (the way back, probes, what goes on after the pivot)
  /// may use all of it; others leave one eighth to them (rule 12).
  [[nodiscard]] bool acquire(std::uint32_t gate, bool urgent);
  void release(std::uint32_t gate) { gates_[gate].in_flight -= 1; }

  void enqueue(std::uint32_t gate, bool urgent, QueuedWant want);
  /// Takes room and returns who may use it; nullopt: no room, or nobody waits.
  [[nodiscard]] std::optional<QueuedWant> next(std::uint32_t gate);

  struct Load {
    std::string participant;
    std::uint32_t in_flight = 0;
    std::uint32_t limit = 0;
    std::size_t queued = 0;
  };
  [[nodiscard]] std::vector<Load> loads() const;

 private:
  struct Gate {
    std::string participant;
    std::uint32_t limit = 1;
    std::uint32_t in_flight = 0;
    std::deque<QueuedWant> urgent;
    std::deque<QueuedWant> normal;

    [[nodiscard]] bool has_room(bool for_urgent) const {
      const std::uint32_t reserve = for_urgent ? 0 : limit / 8;
      return in_flight + reserve < limit;
    }
  };

  std::function<std::uint32_t(std::string_view)> limit_of_;
  std::unordered_map<std::string, std::uint32_t> index_;
  std::vector<Gate> gates_;
};

}  // namespace skald
