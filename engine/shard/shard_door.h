// What other threads may know of a shard without asking it: whether it has room for one saga more,
// and which keys it surely does not know. So a submission that it could only refuse is refused
// where it arrives. The bound itself is kept by the shard (shard_admission.cc).
#pragma once

#include <atomic>  // tidy: allow(pure) the one thing of a shard that other threads touch
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "engine/base/error.h"

namespace skald {

/// So many seconds somebody who is refused for lack of room should wait: long enough that those who
/// repeat cost little, short enough that room does not stay empty.
inline constexpr std::uint32_t kBusyRetryAfterS = 1;

[[nodiscard]] Error too_many_sagas(std::size_t active);
[[nodiscard]] Error too_many_waiters(std::size_t waiting);
[[nodiscard]] Error inbox_is_full();

/// Keys are known here by their hash64().
class ShardDoor {
 public:
  ShardDoor(std::size_t sagas_max, std::size_t waiters_max);
  ShardDoor(const ShardDoor&) = delete;
  ShardDoor& operator=(const ShardDoor&) = delete;

  // Thread: any.
  /// Why the shard would refuse a new saga; nullopt: ask it. Submissions that are on their way
  /// count as sagas, so that a crowd which comes at once is not let in together.
  [[nodiscard]] std::optional<Error> no_room() const;
  /// False: neither a saga in memory nor a submission on its way has the key. A saga that has left
  /// memory since is in the store by then.
  [[nodiscard]] bool may_know(std::uint64_t key) const {
    return slot(key).load(std::memory_order_acquire) != 0;
  }
  /// A submission is on its way to the shard, until came().
  void comes(std::optional<std::uint64_t> key);
  void came(std::optional<std::uint64_t> key);
  void refused() { refused_.fetch_add(1, std::memory_order_relaxed); }
  /// How many were refused here, without the shard.
  [[nodiscard]] std::uint64_t refusals() const { return refused_.load(std::memory_order_relaxed); }

  // Thread: the shard's.
  void show(std::size_t active, std::size_t waiting);
  void key_held(std::uint64_t key) { slot(key).fetch_add(1, std::memory_order_release); }
  void key_let_go(std::uint64_t key) { slot(key).fetch_sub(1, std::memory_order_release); }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  /// How many keys fall on it: nearly always none, or one.
  [[nodiscard]] std::atomic_ref<std::uint32_t> slot(std::uint64_t key) const {
    return std::atomic_ref(slots_[key & slot_mask_]);
  }

  const std::size_t sagas_max_;
  const std::size_t waiters_max_;
  const std::size_t slot_mask_;
  // Zeros of the system's, so that what no key has fallen on yet takes no memory.
  const std::unique_ptr<std::uint32_t[], Free> slots_;
  std::size_t active_shown_ = 0;  // of the shard's thread: what did not change is not written
  std::size_t waiting_shown_ = 0;
  std::atomic<std::size_t> active_{0};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> coming_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace skald
