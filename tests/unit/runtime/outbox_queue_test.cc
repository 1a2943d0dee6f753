// When a webhook is told again, and when it is given up: without clock or thread.
#include "engine/runtime/outbox_queue.h"

#include <gtest/gtest.h>

namespace skald {
namespace {

constexpr Instant kThen = from_unix_ms(1'700'000'000'000);
const AlertReceipt kTook{.status = 204, .detail = "HTTP 204"};
const AlertReceipt kFailed{.status = 503, .detail = "HTTP 503"};

Alert alert(std::uint64_t seq) {
  return {.kind = AlertKind::stuck, .at = kThen, .saga = {.serial = seq}, .seq = seq};
}

TEST(OutboxQueue, SendsAtOnceWithinItsRoom) {
  OutboxQueue queue({.in_flight_max = 2});
  for (std::uint64_t i = 1; i <= 3; ++i) queue.add(alert(i), kThen);
  const auto first = queue.next(kThen);
  const auto second = queue.next(kThen);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(queue.next(kThen));
  EXPECT_EQ(queue.next_wake(), kNever) << "it waits for an answer, not for time";
  EXPECT_EQ(queue.answered(first->number, kTook, kThen), OutboxQueue::After::told);
  EXPECT_TRUE(queue.next(kThen));
  EXPECT_EQ(queue.figures().waiting, 2U);
}

TEST(OutboxQueue, WhatFailsIsTriedAgainLaterAndLaterUpToACap) {
  OutboxPolicy policy;
  OutboxQueue queue(policy);
  queue.add(alert(1), kThen);
  Instant now = kThen;
  Millis longest{0};
  for (int i = 0; i < 12; ++i) {
    const auto sending = queue.next(now);
    ASSERT_TRUE(sending) << i;
    EXPECT_EQ(queue.answered(sending->number, kFailed, now), OutboxQueue::After::again);
    EXPECT_FALSE(queue.next(now)) << "not at once";
    longest = std::max(longest, queue.next_wake() - now);
    now = queue.next_wake();
  }
  EXPECT_GT(longest, policy.retry.delay_max / 4);
  EXPECT_LE(longest, policy.retry.delay_max);
  EXPECT_EQ(queue.figures().last_failure, "HTTP 503");
}

TEST(OutboxQueue, AReceiverThatFailsIsAskedOneAtATimeUntilItAnswers) {
  OutboxQueue queue({.failures_to_slow = 2});
  for (std::uint64_t i = 1; i <= 9; ++i) queue.add(alert(i), kThen);
  for (int i = 0; i < 2; ++i) {
    const auto sending = queue.next(kThen);
    ASSERT_TRUE(sending);
    EXPECT_EQ(queue.answered(sending->number, kFailed, kThen), OutboxQueue::After::again);
  }
  EXPECT_FALSE(queue.next(kThen));
  const Instant later = queue.next_wake();
  const auto one = queue.next(later);
  ASSERT_TRUE(one);
  EXPECT_FALSE(queue.next(later));
  EXPECT_EQ(queue.answered(one->number, kTook, later), OutboxQueue::After::told);
  EXPECT_TRUE(queue.next(later));
  EXPECT_TRUE(queue.next(later));
}

TEST(OutboxQueue, OneAlertThatIsRefusedDoesNotHoldUpTheOthers) {
  OutboxQueue queue({.in_flight_max = 1});
  queue.add(alert(1), kThen);
  queue.add(alert(2), kThen);
  const auto refused = queue.next(kThen);
  ASSERT_TRUE(refused);
  EXPECT_EQ(queue.answered(refused->number, kFailed, kThen), OutboxQueue::After::again);
  const auto other = queue.next(kThen);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->alert->seq, 2U);
}

TEST(OutboxQueue, GivesUpWhenItsTimeIsOverButTriesOnceWhateverItsAge) {
  OutboxQueue queue({.give_up_after = Millis{1'000}});
  queue.add(alert(1), kThen + Millis{5'000});
  const auto sending = queue.next(kThen + Millis{5'000});
  ASSERT_TRUE(sending);
  EXPECT_EQ(queue.answered(sending->number, kFailed, kThen + Millis{5'000}),
            OutboxQueue::After::given_up);
  EXPECT_EQ(queue.figures().waiting, 0U);
  EXPECT_EQ(queue.figures().given_up, 1U);
}

TEST(OutboxQueue, ATestIsNotTriedAgain) {
  OutboxQueue queue({});
  queue.add({.kind = AlertKind::test, .at = kThen, .subject = "test-1"}, kThen);
  const auto sending = queue.next(kThen);
  ASSERT_TRUE(sending);
  EXPECT_EQ(queue.answered(sending->number, kFailed, kThen), OutboxQueue::After::given_up);
  EXPECT_EQ(queue.figures().given_up, 0U) << "nobody missed anything";
}

}  // namespace
}  // namespace skald
