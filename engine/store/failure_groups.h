// Failed sagas in groups: by cause, step or participant. Gathers what a store finds; how it is
// found is the store's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/failure_class.h"

namespace skald {

/// Sent by name.
enum class GroupBy : std::uint8_t { cause = 1, step, participant };

/// One saga of a group.
struct GroupMember {
  Instant started_at{};
  SagaId id;
  auto operator<=>(const GroupMember&) const = default;
};

struct FailureGroup {
  std::string definition;  // by cause and by step
  FailureClass failure;    // by step and by participant, that field alone
  std::uint64_t count = 0;
  GroupMember oldest;  // by their starts
  GroupMember newest;  // the example
  bool operator==(const FailureGroup&) const = default;
};

struct FailureGroups {
  std::vector<FailureGroup> groups;  // the largest first; at most kGroupsMax
  std::uint64_t sagas = 0;           // of all groups, those left out as well
  bool complete = true;              // false: there were more causes or sagas than are looked at
  bool operator==(const FailureGroups&) const = default;
};
inline constexpr std::size_t kGroupsMax = 1'000;

class GroupGatherer {
 public:
  explicit GroupGatherer(GroupBy by) : by_(by) {}

  struct Share {
    std::string definition;
    FailureClass failure;
    std::uint64_t count = 1;
    GroupMember oldest;
    GroupMember newest;
  };
  void add(const Share& share);
  void incomplete() { complete_ = false; }
  [[nodiscard]] FailureGroups take();

 private:
  GroupBy by_;
  std::map<std::string, FailureGroup> groups_;
  bool complete_ = true;
};

}  // namespace skald
