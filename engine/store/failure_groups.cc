#include "engine/store/failure_groups.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace skald {
namespace {

/// The group without its sagas.
FailureGroup common_part(GroupBy by, const std::string& definition, const FailureClass& failure) {
  FailureGroup group;
  switch (by) {
    case GroupBy::cause:
      group.definition = definition;
      group.failure = failure;
      break;
    case GroupBy::step:
      group.definition = definition;
      group.failure.step = failure.step;
      break;
    case GroupBy::participant:
      group.failure.participant = failure.participant;
      break;
  }
  return group;
}

std::string key_of(GroupBy by, const std::string& definition, const FailureClass& failure) {
  switch (by) {
    case GroupBy::cause:
      return failure.cause.text();
    case GroupBy::step:
      return definition + '\0' + failure.step;
    case GroupBy::participant:
      return failure.participant;
  }
  return {};
}

bool shown_before(const FailureGroup& a, const FailureGroup& b) {
  return std::tie(b.count, b.newest) < std::tie(a.count, a.newest);
}

}  // namespace

void GroupGatherer::add(const Share& share) {
  const auto [at, first] =
      groups_.try_emplace(key_of(by_, share.definition, share.failure), FailureGroup{});
  FailureGroup& group = at->second;
  if (first) {
    group = common_part(by_, share.definition, share.failure);
    group.oldest = share.oldest;
    group.newest = share.newest;
  }
  group.count += share.count;
  group.oldest = std::min(group.oldest, share.oldest);
  group.newest = std::max(group.newest, share.newest);
}

FailureGroups GroupGatherer::take() {
  FailureGroups result{.groups = {}, .complete = complete_};
  for (auto& [key, group] : groups_) {
    result.sagas += group.count;
    result.groups.push_back(std::move(group));
  }
  std::ranges::sort(result.groups, shown_before);
  if (result.groups.size() > kGroupsMax) {
    result.groups.resize(kGroupsMax);
    result.complete = false;
  }
  return result;
}

}  // namespace skald
