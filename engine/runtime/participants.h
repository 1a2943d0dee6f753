// Participants as operators see them: what every shard's gates say of them, summed, and who holds
// them. Holds are durable as notes; the gates keep what follows from them.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/decide.h"
#include "engine/shard/gates.h"
#include "engine/shard/hold.h"
#include "engine/store/store.h"

namespace skald {

/// One method of one participant, all shards together.
struct ParticipantFigures {
  Gates::Load load;
  std::optional<ParticipantHold> hold;  // of the method, or of its participant
};

/// An operation that may be sent as far as its saga is concerned, and is not: why.
struct HeldBack {
  Want want;
  std::optional<ParticipantHold> hold;
  BreakerState breaker = BreakerState::closed;
  Instant tries_at = kNever;  // of an open breaker
};

/// "hold/inventory" or "hold/inventory/inventory.InventoryRpc/DeductStock": a note's name. Stored.
[[nodiscard]] std::string hold_note_name(const std::string& participant, const std::string& path);

/// Thread: every call from any thread.
class HoldBook {
 public:
  /// Errors: the store's; data_loss where a note is no hold.
  [[nodiscard]] Result<void> load(Store& store);
  void add(ParticipantHold hold);
  void remove(const std::string& participant, const std::string& path);
  [[nodiscard]] std::size_t size() const;
  /// The hold of exactly this participant and path.
  [[nodiscard]] std::optional<ParticipantHold> find(const std::string& participant,
                                                    const std::string& path) const;
  /// What holds the method: its own hold, or its participant's.
  [[nodiscard]] std::optional<ParticipantHold> that_holds(const std::string& participant,
                                                          const std::string& path) const;
  [[nodiscard]] std::vector<ParticipantHold> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, ParticipantHold> holds_;
};

/// By participant and path; held ones that nothing has asked for yet are among them.
[[nodiscard]] std::vector<ParticipantFigures> sum_participants(
    const std::vector<std::vector<Gates::Load>>& shards, const HoldBook& holds);

/// Which of the wants are held back, and by what.
[[nodiscard]] std::vector<HeldBack> held_back(const Definition& definition,
                                              const std::vector<Want>& wants,
                                              const std::vector<ParticipantFigures>& figures,
                                              const HoldBook& holds);

}  // namespace skald
