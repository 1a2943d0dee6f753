#include "engine/runtime/outbox_queue.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/core/retry.h"

namespace skald {

void OutboxQueue::add(Alert alert, Instant now) {
  const std::uint64_t number = ++last_;
  items_.emplace(number, Item{.alert = std::move(alert)});
  due_.emplace(now, number);
}

std::optional<OutboxQueue::Sending> OutboxQueue::next(Instant now) {
  if (next_wake() > now) return std::nullopt;
  const std::uint64_t number = due_.begin()->second;
  due_.erase(due_.begin());
  in_flight_ += 1;
  Item& item = items_.at(number);
  item.attempts += 1;
  return Sending{.number = number, .alert = &item.alert};
}

OutboxQueue::After OutboxQueue::answered(std::uint64_t number, const AlertReceipt& receipt,
                                         Instant now) {
  const auto found = items_.find(number);
  SKALD_CHECK(found != items_.end() && in_flight_ > 0, "number={}", number);
  in_flight_ -= 1;
  if (receipt.is_told()) {
    failures_in_a_row_ = 0;
    counted_.told += 1;
    items_.erase(found);
    return After::told;
  }
  const Item& item = found->second;
  failures_in_a_row_ += 1;
  if (is_slow()) {
    const std::uint32_t repeats = failures_in_a_row_ - policy_.failures_to_slow + 1;
    tries_at_ = delayed(item.alert, repeats, item.attempts, now);
  }
  counted_.failed += 1;
  counted_.last_failure = receipt.detail;
  if (item.alert.kind == AlertKind::test || now - item.alert.at >= policy_.give_up_after) {
    counted_.given_up += item.alert.kind == AlertKind::test ? 0 : 1;
    items_.erase(found);
    return After::given_up;
  }
  due_.emplace(delayed(item.alert, item.attempts, item.attempts, now), number);
  return After::again;
}

Instant OutboxQueue::next_wake() const {
  const std::uint32_t room = is_slow() ? 1 : policy_.in_flight_max;
  if (due_.empty() || in_flight_ >= room) return kNever;
  const Instant due = due_.begin()->first;
  return is_slow() ? std::max(due, tries_at_) : due;
}

OutboxQueue::Figures OutboxQueue::figures() const {
  Figures figures = counted_;
  figures.waiting = items_.size();
  figures.failures_in_a_row = failures_in_a_row_;
  figures.tries_at = tries_at_;
  return figures;
}

Instant OutboxQueue::delayed(const Alert& alert, std::uint32_t repeats, std::uint32_t attempt,
                             Instant now) const {
  return now + retry_delay({.policy = policy_.retry,
                            .repeats = repeats,
                            .saga = alert.saga,
                            .leg = {.leg = static_cast<std::uint32_t>(alert.seq)},
                            .attempt = attempt});
}

}  // namespace skald
