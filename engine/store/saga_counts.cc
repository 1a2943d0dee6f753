#include "engine/store/saga_counts.h"

#include <algorithm>
#include <string_view>

#include "engine/base/check.h"

namespace skald {
namespace {

std::size_t index(SagaStatus status) { return static_cast<std::size_t>(status) - 1; }

}  // namespace

void SagaCounts::restore_name(Number number, std::string name) {
  const std::scoped_lock lock(mutex_);
  if (names_.size() <= number) names_.resize(number + std::size_t{1});
  counts_.resize(names_.size());
  numbers_[name] = number;
  names_[number] = std::move(name);
}

void SagaCounts::restore(Number number, SagaStatus status, std::uint64_t count) {
  const std::scoped_lock lock(mutex_);
  if (number == kOthers) {
    others_.at(index(status)) = count;
    return;
  }
  if (counts_.size() <= number) counts_.resize(number + std::size_t{1});
  names_.resize(counts_.size());
  counts_[number].at(index(status)) = count;
}

SagaCounts::Number SagaCounts::number_of(const std::string& definition) {
  const auto known = numbers_.find(definition);
  if (known != numbers_.end()) return known->second;
  if (numbers_.size() >= kDefinitionsCountedMax) return kOthers;
  const std::scoped_lock lock(mutex_);
  const auto number = static_cast<Number>(names_.size());
  numbers_[definition] = number;
  names_.push_back(definition);
  counts_.emplace_back();
  new_names_.emplace_back(number, definition);
  return number;
}

StatusCounts& SagaCounts::changing(const std::string& definition) {
  const Number number = number_of(definition);
  const auto known = std::ranges::find(changes_, number, &Change::number);
  if (known != changes_.end()) return known->after;
  const StatusCounts& kept = number == kOthers ? others_ : counts_[number];  // only we change them
  return changes_.emplace_back(Change{.number = number, .before = kept, .after = kept}).after;
}

void SagaCounts::enter(const std::string& definition, SagaStatus status) {
  ++changing(definition).at(index(status));
}

void SagaCounts::leave(const std::string& definition, SagaStatus status) {
  std::uint64_t& count = changing(definition).at(index(status));
  SKALD_CHECK(count > 0, "a saga of {} left status {}, in which none is", definition, name(status));
  --count;
}

void SagaCounts::keep() {
  {
    const std::scoped_lock lock(mutex_);
    for (const Change& change : changes_) {
      (change.number == kOthers ? others_ : counts_[change.number]) = change.after;
    }
  }
  drop();
}

void SagaCounts::drop() {
  changes_.clear();
  new_names_.clear();
}

std::vector<std::pair<SagaStatus, std::uint64_t>> SagaCounts::by_status() const {
  const std::scoped_lock lock(mutex_);
  StatusCounts sum = others_;
  for (const StatusCounts& counts : counts_) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum.at(i) += counts.at(i);
  }
  std::vector<std::pair<SagaStatus, std::uint64_t>> result;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    result.emplace_back(static_cast<SagaStatus>(i + 1), sum.at(i));
  }
  return result;
}

std::vector<DefinitionCount> SagaCounts::by_definition() const {
  std::vector<DefinitionCount> result;
  const auto add = [&result](const std::string& definition, const StatusCounts& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts.at(i) == 0) continue;
      result.push_back({.definition = definition,
                        .status = static_cast<SagaStatus>(i + 1),
                        .count = counts.at(i)});
    }
  };
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < names_.size(); ++i) add(names_[i], counts_[i]);
  add({}, others_);
  std::ranges::sort(result, {}, [](const DefinitionCount& count) {
    return std::pair<std::string_view, SagaStatus>(count.definition, count.status);
  });
  return result;
}

std::vector<std::string> SagaCounts::names() const {
  const std::scoped_lock lock(mutex_);
  return names_;
}

}  // namespace skald
