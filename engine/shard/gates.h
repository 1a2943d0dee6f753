// Gates: whether an attempt may be sent now, and who waits for that. An intent is written only when
// its participant has room (rule 1), so this is the shard's business. A participant has one limit
// of attempts in flight; each of its methods is a lane with a queue and a breaker; both may be held
// by an operator.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/core/decide.h"
#include "engine/shard/breaker.h"

namespace skald {

struct QueuedWant {
  SagaId saga;
  Want want;
};

struct GatesOptions {
  /// A participant's limit on this shard, >= 1.
  std::function<std::uint32_t(std::string_view participant)> limit_of;
  BreakerPolicy breaker;
};

/// Lanes of one participant that are told apart. Beyond it its methods share one: inline
/// definitions may name any number of paths.
inline constexpr std::size_t kLanesMax = 256;

class Gates {
 public:
  explicit Gates(GatesOptions options) : options_(std::move(options)) {}

  [[nodiscard]] std::uint32_t lane_of(const std::string& participant, const std::string& path);

  /// Takes room for one attempt. Urgent ones (the way back, probes, what goes on after the pivot)
  /// may use all of it; others leave one eighth to them (rule 12).
  [[nodiscard]] bool acquire(std::uint32_t lane, bool urgent, Instant now);
  /// The attempt for which room was taken is not sent.
  void release(std::uint32_t lane);
  /// The attempt was answered after `took`.
  void answered(std::uint32_t lane, const Outcome& outcome, Micros took, Instant now);

  void enqueue(std::uint32_t lane, bool urgent, QueuedWant want);
  /// Takes room for whoever of this lane's participant may go now, and says in which lane; nullopt:
  /// nobody may.
  struct Next {
    std::uint32_t lane = 0;
    QueuedWant waiting;
  };
  [[nodiscard]] std::optional<Next> next(std::uint32_t lane, Instant now);

  /// Holds or lets go a participant (empty path) or one of its methods.
  void hold(const std::string& participant, const std::string& path, bool held);
  /// Lanes with somebody waiting, for next(): after a release, or when a breaker's time has come.
  [[nodiscard]] std::vector<std::uint32_t> waiting_lanes(Instant now) const;
  /// When, after `now`, a breaker lets one of those who wait try. One that lets already and has no
  /// room goes with the next answer.
  [[nodiscard]] Instant next_wake(Instant now) const;

  struct Load {
    std::string participant;
    std::string path;
    std::uint32_t in_flight = 0;
    std::uint32_t limit = 0;  // of the participant
    std::size_t queued = 0;
    bool held = false;
    BreakerState breaker = BreakerState::closed;
    Instant tries_at = kNever;
    std::uint64_t answers = 0;
    std::uint64_t sick = 0;     // of the answers
    double recent_sick = 0;     // share of late, 0..1, by exponential decay
    double recent_took_ms = 0;  // likewise
  };
  [[nodiscard]] std::vector<Load> loads() const;

 private:
  struct Participant {
    std::string name;
    std::uint32_t limit = 1;
    std::uint32_t in_flight = 0;
    std::size_t queued = 0;  // in all its lanes
    bool held = false;
    std::vector<std::uint32_t> lanes;
    std::size_t turn = 0;  // of its lanes, whose queue is looked at first

    [[nodiscard]] bool has_room(bool for_urgent) const {
      const std::uint32_t reserve = for_urgent ? 0 : limit / 8;
      return in_flight + reserve < limit;
    }
  };
  struct Lane {
    std::uint32_t participant = 0;
    std::string path;
    Breaker breaker;
    bool held = false;
    std::uint32_t in_flight = 0;
    std::uint64_t answers = 0;
    std::uint64_t sick = 0;
    double recent_sick = 0;
    double recent_took_ms = 0;
    std::deque<QueuedWant> urgent;
    std::deque<QueuedWant> normal;
  };

  [[nodiscard]] std::uint32_t participant_of(const std::string& name);
  [[nodiscard]] bool is_open(const Lane& lane, Instant now) const;
  /// Nobody overtakes those who wait already and may go.
  [[nodiscard]] bool somebody_waits(const Participant& participant, bool urgent, Instant now) const;
  void take(Lane& lane);
  [[nodiscard]] std::optional<Next> next_of(Participant& participant, bool urgent, Instant now);

  GatesOptions options_;
  std::unordered_map<std::string, std::uint32_t> participant_index_;
  std::unordered_map<std::string, std::uint32_t> lane_index_;  // participant + path
  std::vector<Participant> participants_;
  std::vector<Lane> lanes_;
  std::vector<std::uint32_t> unwell_;                    // lanes whose breaker is not closed
  std::set<std::pair<std::string, std::string>> holds_;  // (participant, path), lanes to come too
  std::string key_;                                      // kept for its memory
};

}  // namespace skald
