#include "engine/shard/shard_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace skald {
namespace {

constexpr std::size_t kSlotsPerSaga = 8;  // at the bound one key in nine falls on a slot in use
constexpr std::size_t kSlotsMax = 1 << 20;

std::size_t slots_for(std::size_t sagas) {
  return std::min(kSlotsMax, std::bit_ceil(std::min(sagas, kSlotsMax) * kSlotsPerSaga));
}

}  // namespace

Error too_many_sagas(std::size_t active) {
  return {.code = Errc::resource_exhausted,
          .message = fmt::format("busy: {} sagas are active on this shard (limit "
                                 "active_sagas_max); try again later with the same key",
                                 active),
          .retry_after_s = kBusyRetryAfterS};
}

Error too_many_waiters(std::size_t waiting) {
  return {.code = Errc::resource_exhausted,
          .message = fmt::format("busy: {} callers wait on this shard (limit waiters_max); try "
                                 "again later with the same key",
                                 waiting),
          .retry_after_s = kBusyRetryAfterS};
}

Error inbox_is_full() {
  return {.code = Errc::resource_exhausted,
          .message =
              "busy: the shard's inbox is full (limit inbox_max); try again later, a "
              "submission with the same key",
          .retry_after_s = kBusyRetryAfterS};
}

ShardDoor::ShardDoor(std::size_t sagas_max, std::size_t waiters_max)
    : sagas_max_(sagas_max),
      waiters_max_(waiters_max),
      slot_mask_(slots_for(sagas_max) - 1),
      slots_(static_cast<std::uint32_t*>(std::calloc(slot_mask_ + 1, sizeof(std::uint32_t)))) {
  SKALD_CHECK(slots_ != nullptr, "slots={}", slot_mask_ + 1);
}

std::optional<Error> ShardDoor::no_room() const {
  const std::size_t coming = coming_.load(std::memory_order_relaxed);
  const std::size_t active = active_.load(std::memory_order_relaxed);
  if (active + coming >= sagas_max_) return too_many_sagas(active);
  const std::size_t waiting = waiting_.load(std::memory_order_relaxed);
  if (waiting + coming >= waiters_max_) return too_many_waiters(waiting);
  return std::nullopt;
}

void ShardDoor::comes(std::optional<std::uint64_t> key) {
  coming_.fetch_add(1, std::memory_order_relaxed);
  if (key) key_held(*key);
}

void ShardDoor::came(std::optional<std::uint64_t> key) {
  coming_.fetch_sub(1, std::memory_order_relaxed);
  if (key) key_let_go(*key);
}

void ShardDoor::show(std::size_t active, std::size_t waiting) {
  if (active != active_shown_) {
    active_.store(active_shown_ = active, std::memory_order_relaxed);
  }
  if (waiting != waiting_shown_) {
    waiting_.store(waiting_shown_ = waiting, std::memory_order_relaxed);
  }
}

}  // namespace skald
