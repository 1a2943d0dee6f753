#include "engine/net/deadline_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace skald {
namespace {

SteadyTime at(int ms) { return SteadyTime{std::chrono::milliseconds{ms}}; }

TEST(DeadlineHeap, GivesNodesInTheOrderOfTheirDeadlines) {
  DeadlineHeap heap;
  std::array<DeadlineNode, 3> nodes;
  heap.set(nodes[0], at(30));
  heap.set(nodes[1], at(10));
  heap.set(nodes[2], at(20));
  EXPECT_EQ(heap.next(), at(10));
  EXPECT_EQ(heap.take_due(at(9)), nullptr);
  EXPECT_EQ(heap.take_due(at(25)), &nodes[1]);
  EXPECT_EQ(heap.take_due(at(25)), &nodes[2]);
  EXPECT_EQ(heap.take_due(at(25)), nullptr);
  EXPECT_EQ(heap.next(), at(30));
}

TEST(DeadlineHeap, AMovedDeadlineCountsWhereItWasMovedTo) {
  DeadlineHeap heap;
  DeadlineNode node;
  heap.set(node, at(10));
  heap.set(node, at(50));
  EXPECT_EQ(heap.take_due(at(49)), nullptr);
  heap.set(node, at(20));
  EXPECT_EQ(heap.next(), at(20));
  EXPECT_EQ(heap.take_due(at(20)), &node);
  EXPECT_EQ(heap.next(), SteadyTime::max());
}

TEST(DeadlineHeap, AClearedOrRemovedNodeIsNeverDue) {
  DeadlineHeap heap;
  DeadlineNode cleared;
  DeadlineNode removed;
  heap.set(cleared, at(10));
  heap.set(removed, at(10));
  heap.clear(cleared);
  heap.remove(removed);
  EXPECT_EQ(heap.take_due(at(100)), nullptr);
  EXPECT_EQ(heap.next(), SteadyTime::max());
  heap.set(cleared, at(5));
  EXPECT_EQ(heap.take_due(at(5)), &cleared);
}

TEST(DeadlineHeap, AgreesWithASortedListUnderRandomUse) {
  constexpr unsigned kSeed = 20240611;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  DeadlineHeap heap;
  std::array<DeadlineNode, 40> nodes;
  std::array<int, 40> due{};  // 0: none
  int now = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = random() % nodes.size();
    switch (random() % 4) {
      case 0:
      case 1:
        due[i] = now + 1 + static_cast<int>(random() % 100);
        heap.set(nodes[i], at(due[i]));
        break;
      case 2:
        due[i] = 0;
        random() % 2 == 0 ? heap.clear(nodes[i]) : heap.remove(nodes[i]);
        break;
      default:
        now += static_cast<int>(random() % 20);
        while (DeadlineNode* node = heap.take_due(at(now))) {
          int& taken = due[static_cast<std::size_t>(node - nodes.data())];
          ASSERT_TRUE(taken != 0 && taken <= now) << step;
          taken = 0;
        }
        ASSERT_TRUE(std::ranges::all_of(due, [&](int d) { return d == 0 || d > now; })) << step;
    }
  }
}

}  // namespace
}  // namespace skald
