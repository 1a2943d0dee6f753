#include "engine/async/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

namespace skald {
namespace {

constexpr std::chrono::seconds kPatience{20};

TEST(BlockingPool, RunsJobsOfTwoThreadsAtOnce) {
  BlockingPool pool(2);
  // given two jobs that each wait for the other
  std::latch both(2);
  std::promise<void> met;
  std::atomic<int> left = 2;
  for (int i = 0; i < 2; ++i) {
    pool.run([&] {
      both.arrive_and_wait();
      if (--left == 0) met.set_value();
    });
  }
  // then both end
  EXPECT_EQ(met.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(BlockingPool, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    BlockingPool pool(1);
    for (int i = 0; i < 100; ++i) {
      pool.run([&order, i] { order.push_back(i); });
    }
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(BlockingPool, StopRunsWhatWasAcceptedAndDropsTheRest) {
  std::atomic<int> ran = 0;
  BlockingPool pool(2);
  for (int i = 0; i < 50; ++i) {
    pool.run([&] { ++ran; });
  }
  pool.stop();
  EXPECT_EQ(ran, 50);
  pool.run([&] { ++ran; });
  pool.stop();
  EXPECT_EQ(ran, 50);
}

}  // namespace
}  // namespace skald
