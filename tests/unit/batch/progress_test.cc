// How a batch proceeds: rates, rooms, outcomes, pauses, what is written, and a restart at any
// moment.
#include "engine/batch/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace skald::batch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Instant kStart{Millis{50'000}};
const Actor kBob{.name = "bob", .reason = "too loud"};

std::vector<Entry> entries(std::size_t count) {
  std::vector<Entry> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({.saga = {.placement = 1, .serial = i + 1}, .followed = {}, .why = {}});
  }
  return made;
}

Batch batch(std::size_t sagas, std::uint32_t rate = kRateMax,
            std::uint32_t in_flight_max = kInFlightMax) {
  return {.number = 17,
          .spec = {.filter = "status = stuck",
                   .actor = {},
                   .leg = {},
                   .from = {},
                   .rate = rate,
                   .in_flight_max = in_flight_max,
                   .key = {}},
          .changed_by = {},
          .sagas = sagas};
}

Progress progress(std::size_t sagas, std::uint32_t rate = kRateMax,
                  std::uint32_t in_flight_max = kInFlightMax) {
  return {batch(sagas, rate, in_flight_max), entries(sagas)};
}

std::uint64_t told(const Progress& of, Outcome outcome) {
  return of.batch().counts[std::to_underlying(outcome)];
}

/// Asks each millisecond, at most until `until`; every act ends at once.
std::size_t acts_within(Progress& of, Instant from, Millis time) {
  std::size_t acts = 0;
  for (Millis at{0}; at < time; at += Millis{1}) {
    for (const std::size_t entry : of.next(from + at).acts) {
      of.settled(entry, Outcome::skipped, "");
      acts += 1;
    }
  }
  return acts;
}

TEST(Progress, ActsAtItsRateAndNotFaster) {
  for (const std::uint32_t rate : {1U, 3U, 50U, 300U, 700U, 5'000U}) {
    Progress of = progress(20'000, rate);
    const std::size_t acts = acts_within(of, kStart, Millis{2'000});
    EXPECT_LE(acts, 2 * rate + 1) << rate;
    EXPECT_GE(acts, 2 * rate - rate / 100) << rate;
  }
}

TEST(Progress, SavesUpNoMoreThanATenthOfASecond) {
  Progress of = progress(20'000, 1'000);
  EXPECT_THAT(of.next(kStart).acts, SizeIs(1)) << "it begins with one";
  EXPECT_THAT(of.next(kStart + Millis{3'600'000}).acts, SizeIs(100));
}

TEST(Progress, SaysWhenTheNextActMayBe) {
  Progress of = progress(3, 2);
  EXPECT_THAT(of.next(kStart).acts, ElementsAre(0));
  EXPECT_EQ(of.wake_at(), kStart + Millis{500});
  EXPECT_THAT(of.next(kStart + Millis{499}).acts, IsEmpty());
  EXPECT_THAT(of.next(kStart + Millis{500}).acts, ElementsAre(1));
}

TEST(Progress, FollowsNoMoreThanThereIsRoomFor) {
  Progress of = progress(5, kRateMax, 2);
  Instant now = kStart;
  EXPECT_THAT(of.next(now).acts, ElementsAre(0));
  EXPECT_THAT(of.next(now += Millis{10}).acts, ElementsAre(1));
  of.acted(0, {.placement = 1, .serial = 1});
  EXPECT_THAT(of.next(now += Millis{10}).acts, IsEmpty()) << "acted on is not at its end";
  EXPECT_EQ(of.wake_at(), kNever) << "only an answer helps";
  of.settled(0, Outcome::completed, "");
  EXPECT_THAT(of.next(now += Millis{10}).acts, ElementsAre(2));
}

TEST(Progress, AnActIsFollowedUntilItsEndAndEachLookIsMorePatient) {
  Progress of = progress(1);
  ASSERT_THAT(of.next(kStart).acts, ElementsAre(0));
  const SagaId replay{.placement = 9, .serial = 9};
  of.acted(0, replay);
  Millis patience = kPatienceFirst;
  for (int i = 0; i < 8; ++i) {
    const auto looks = of.next(kStart).looks;
    ASSERT_THAT(looks, SizeIs(1));
    EXPECT_EQ(looks[0].saga, replay);
    EXPECT_EQ(looks[0].patience, patience);
    EXPECT_THAT(of.next(kStart).looks, IsEmpty()) << "somebody is looking";
    EXPECT_FALSE(of.is_over());
    of.not_yet(0);
    patience = std::min(patience * 2, kPatienceMax);
  }
  ASSERT_THAT(of.next(kStart).looks, SizeIs(1));
  of.settled(0, Outcome::compensated, "short");
  EXPECT_TRUE(of.is_over());
  EXPECT_EQ(told(of, Outcome::compensated), 1U);
  EXPECT_EQ(of.entries()[0].why, "short");
}

TEST(Progress, WhatCouldNotBeAskedIsAskedAgainLater) {
  Progress of = progress(2, kRateMax, 2);
  Instant now = kStart;
  ASSERT_THAT(of.next(now).acts, ElementsAre(0));
  ASSERT_THAT(of.next(now += Millis{1}).acts, ElementsAre(1));
  of.acted(1, {.placement = 1, .serial = 2});
  ASSERT_THAT(of.next(now).looks, SizeIs(1));
  of.later(0, now);
  of.later(1, now);
  EXPECT_EQ(of.wake_at(), now + kAgainAfter);
  const auto nothing = of.next(now + kAgainAfter - Millis{1});
  EXPECT_THAT(nothing.acts, IsEmpty());
  EXPECT_THAT(nothing.looks, IsEmpty());
  const auto again = of.next(now + kAgainAfter);
  EXPECT_THAT(again.acts, ElementsAre(0));
  EXPECT_THAT(again.looks, SizeIs(1));
}

TEST(Progress, PausedItFollowsButActsOnNoMore) {
  Progress of = progress(3);
  ASSERT_THAT(of.next(kStart).acts, ElementsAre(0));
  of.acted(0, {.placement = 1, .serial = 1});
  ASSERT_TRUE(of.pause(kBob).has_value());
  const auto todo = of.next(kStart + Millis{1'000});
  EXPECT_THAT(todo.acts, IsEmpty());
  EXPECT_THAT(todo.looks, SizeIs(1));
  EXPECT_EQ(of.wake_at(), kNever);
  EXPECT_FALSE(of.pause(kBob).has_value());
  of.settled(0, Outcome::completed, "");
  EXPECT_FALSE(of.is_over()) << "it is paused, and has sagas left";
  ASSERT_TRUE(of.resume(kBob).has_value());
  EXPECT_FALSE(of.resume(kBob).has_value());
  EXPECT_THAT(of.next(kStart + Millis{2'000}).acts, testing::Contains(1));
  EXPECT_EQ(of.batch().changed_by, kBob);
}

TEST(Progress, CancelledItEndsWhenWhatItBeganHas) {
  Progress of = progress(3);
  ASSERT_THAT(of.next(kStart).acts, ElementsAre(0));
  ASSERT_TRUE(of.cancel(kBob).has_value());
  EXPECT_FALSE(of.is_over());
  of.acted(0, {.placement = 1, .serial = 1});
  EXPECT_THAT(of.next(kStart + Millis{1'000}).acts, IsEmpty());
  of.settled(0, Outcome::stuck, "");
  ASSERT_TRUE(of.is_over());
  of.end(from_unix_ms(7));
  EXPECT_EQ(of.batch().stage, Stage::cancelled);
  EXPECT_EQ(of.batch().ended_at, from_unix_ms(7));
  const Counts counts = told_counts(of.batch());
  EXPECT_EQ(counts[std::to_underlying(Outcome::skipped)], 2U) << "whose turn never came";
  EXPECT_EQ(counts[std::to_underlying(Outcome::pending)], 0U);
  for (const auto& refused : {of.pause(kBob), of.resume(kBob), of.cancel(kBob)}) {
    EXPECT_EQ(refused.error().code, Errc::failed_precondition);
  }
}

TEST(Progress, WritesOnlyWhatHasChanged) {
  Progress of = progress(3 * kSagasPerNote - 1);
  EXPECT_EQ(of.notes(), 3U);
  EXPECT_THAT(of.entries_of_note(2), SizeIs(kSagasPerNote - 1));
  EXPECT_FALSE(of.has_changed()) << "it was written as it is";
  of.settled(250, Outcome::refused, "");
  of.settled(10, Outcome::refused, "");
  of.settled(11, Outcome::refused, "");
  EXPECT_THAT(of.take_changed(1), ElementsAre(0));
  EXPECT_TRUE(of.has_changed());
  EXPECT_THAT(of.take_changed(9), ElementsAre(2));
  EXPECT_FALSE(of.has_changed());
  of.changed_again(std::vector<std::size_t>{2, 0});
  EXPECT_THAT(of.take_changed(9), ElementsAre(0, 2));
}

/// A batch cut off after every single answer, and begun again from what was last written.
TEST(Progress, ARestartAtAnyMomentLosesNoSagaAndFollowsWhatWasBegun) {
  constexpr std::size_t kSagas = 6;
  for (std::size_t cut = 0; cut <= 2 * kSagas; ++cut) {
    auto of = std::make_unique<Progress>(batch(kSagas, kRateMax, 3), entries(kSagas));
    std::size_t answers = 0;
    std::map<std::size_t, SagaId> looked_for;
    Instant now = kStart;
    while (!of->is_over()) {
      const auto todo = of->next(now += Millis{5});
      const auto restart = [&] {
        if (answers++ != cut) return false;
        of = std::make_unique<Progress>(of->batch(), of->entries());
        return true;
      };
      bool cut_off = false;
      for (const auto& look : todo.looks) {
        looked_for[look.entry] = look.saga;
        if (cut_off) break;
        of->settled(look.entry, Outcome::completed, "");
        cut_off = restart();
      }
      for (const std::size_t entry : todo.acts) {
        if (cut_off) break;
        of->acted(entry, {.placement = 9, .serial = entry});
        cut_off = restart();
      }
      ASSERT_LT(now, kStart + Millis{60'000}) << "cut after " << cut;
    }
    EXPECT_EQ(told(*of, Outcome::completed), kSagas) << "cut after " << cut;
    for (const auto& [entry, saga] : looked_for) EXPECT_EQ(saga.serial, entry);
  }
}

}  // namespace
}  // namespace skald::batch
