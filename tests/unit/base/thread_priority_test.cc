#include "engine/base/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace skald {
namespace {

int nice_of_this_thread() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

TEST(ThreadPriority, AThreadStepsBackAloneAndNeverComesForward) {
  const int before = nice_of_this_thread();
  const int wanted = std::min(before + 5, 19);

  std::thread([wanted] {
    step_back(wanted);
    EXPECT_EQ(nice_of_this_thread(), wanted);
    step_back(0);
    EXPECT_EQ(nice_of_this_thread(), wanted);
  }).join();

  EXPECT_EQ(nice_of_this_thread(), before);
}

}  // namespace
}  // namespace skald
