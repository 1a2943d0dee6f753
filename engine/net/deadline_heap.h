// Deadlines of many connections in one heap, so that one timer serves them all. A deadline may be
// moved later or dropped without touching the heap: it is looked at again when its old place comes
// up. Pure: the clock is the caller's.
#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <vector>

namespace skald {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Part of whoever has a deadline. Pre: out of the heap (remove) before it is destroyed.
class DeadlineNode {
 public:
  DeadlineNode() = default;
  DeadlineNode(const DeadlineNode&) = delete;
  DeadlineNode& operator=(const DeadlineNode&) = delete;

 private:
  friend class DeadlineHeap;
  static constexpr std::size_t kOutside = std::numeric_limits<std::size_t>::max();
  SteadyTime due_ = SteadyTime::max();    // max: no deadline
  SteadyTime place_ = SteadyTime::max();  // where the heap has it; never after due_
  std::size_t index_ = kOutside;
};

class DeadlineHeap {
 public:
  /// O(1) when `due` is not before the node's old deadline, O(log n) otherwise.
  void set(DeadlineNode& node, SteadyTime due);
  /// The node has no deadline any more; O(1).
  void clear(DeadlineNode& node) { node.due_ = SteadyTime::max(); }
  /// Forgets the node; O(log n).
  void remove(DeadlineNode& node);

  /// When to call take_due() next; max when empty. May be early, never late.
  [[nodiscard]] SteadyTime next() const;
  /// One node whose deadline is at or before `now`, taken out; nullptr when there is none.
  [[nodiscard]] DeadlineNode* take_due(SteadyTime now);

 private:
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void put(std::size_t index, DeadlineNode* node);

  std::vector<DeadlineNode*> nodes_;
};

}  // namespace skald
