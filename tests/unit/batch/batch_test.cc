// Words and marks of batches, and their bytes.
#include "engine/batch/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/batch/batch_notes.h"

namespace skald::batch {
namespace {

const SagaId kSaga{.placement = 1, .serial = 2};

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

Batch whole_batch() {
  return {.number = 17,
          .spec = {.act = Act::resolve,
                   .filter = "status = stuck",
                   .actor = {.name = "ann", .reason = "asked the bank"},
                   .leg = "pay",
                   .happened = true,
                   .hold = true,
                   .version = 3,
                   .newest = true,
                   .from = "cart",
                   .again = true,
                   .rate = 5,
                   .in_flight_max = 6,
                   .key = "k"},
          .stage = Stage::paused,
          .changed_by = Actor{.name = "bob", .reason = "lunch"},
          .began_at = from_unix_ms(1'000),
          .ended_at = from_unix_ms(2'000),
          .sagas = 4,
          .counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
}

std::vector<Entry> some_entries() {
  return {{.saga = kSaga, .followed = {}, .why = {}},
          {.saga = kSaga, .outcome = Outcome::following, .followed = kSaga, .why = {}},
          {.saga = kSaga,
           .outcome = Outcome::completed,
           .followed = {.placement = 3, .serial = 4},
           .why = {}},
          {.saga = kSaga, .outcome = Outcome::refused, .followed = {}, .why = "is completed"}};
}

TEST(Mark, IsFoundOfThisBatchAndOfNoOther) {
  const Actor ann{.name = "ann", .reason = "stock is back"};
  const Actor marked = marked_actor(17, ann);
  EXPECT_EQ(marked.name, "ann");
  EXPECT_EQ(marked.reason, "batch 17: stock is back") << "stored: never changes";
  EXPECT_TRUE(is_marked(marked, 17));
  EXPECT_TRUE(is_marked(marked_actor(17, {}), 17)) << "without a reason too";
  for (const Number other : {1ULL, 7ULL, 170ULL, 171ULL}) {
    EXPECT_FALSE(is_marked(marked, other)) << other;
  }
  EXPECT_FALSE(is_marked(marked_actor(171, ann), 17));
  EXPECT_FALSE(is_marked(ann, 17));
}

TEST(Mark, NoPersonsReasonMayLookLikeOne) {
  for (const char* text : {"batch 17", "batch 17: x", "batch 0: ", "batch 17:"}) {
    EXPECT_TRUE(looks_marked(text)) << text;
  }
  for (const char* text : {"", "batch", "batch ", "batch of 17", "batch 17 failed", "Batch 17: x",
                           "see batch 17: x", "batch x: 1"}) {
    EXPECT_FALSE(looks_marked(text)) << text;
  }
  EXPECT_TRUE(looks_marked(marked_actor(3, {.name = "", .reason = "why"}).reason));
}

TEST(Reasons, AreCutBetweenCharacters) {
  EXPECT_EQ(shortened("short"), "short");
  const std::string long_text(kWhyMax, 'x');
  EXPECT_EQ(shortened(long_text), long_text);
  EXPECT_EQ(shortened(long_text + "y"), long_text);
  std::string umlauts = "x";
  while (umlauts.size() <= kWhyMax) umlauts += "\xc3\xbc";
  EXPECT_EQ(shortened(umlauts).size(), kWhyMax - 1) << "no half of a character";
}

TEST(Names, AreFoundAgain) {
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_EQ(outcome_named(name(outcome)), outcome);
  }
  EXPECT_EQ(outcome_named("done"), std::nullopt);
}

TEST(Notes, GiveBackWhatWasWritten) {
  const Batch batch = whole_batch();
  EXPECT_EQ(read_batch(batch_note(batch)).value(), batch);
  Batch fresh = whole_batch();
  fresh.changed_by.reset();
  EXPECT_EQ(read_batch(batch_note(fresh)).value(), fresh);
  EXPECT_EQ(read_sagas(sagas_note(17, 3, some_entries())).value(), some_entries());
}

/// Bytes on disk: a change here is a change of what is stored.
TEST(Notes, HaveTheBytesTheyAlwaysHad) {
  EXPECT_EQ(batch_note_name(17), "batch/00000000000000000017");
  EXPECT_EQ(sagas_note_name(17, 3), "batch-sagas/00000000000000000017/000003");
  EXPECT_EQ(hex(*batch_note(whole_batch()).value),
            "081110031a0e737461747573203d20737475636b2203616e6e2a0e61736b6564207468652062616e"
            "6b320370617938014001480350015a04636172746001680570067a016b8001028a010c0a03626f62"
            "12056c756e63689001d00f9801a01fa00104aa010a0102030405060708090a");
  EXPECT_EQ(hex(*sagas_note(17, 3, some_entries()).value),
            "0a120a10000000000000000100000000000000020a160a1000000000000000010000000000000002"
            "100120010a260a100000000000000001000000000000000210021a10000000000000000300000000"
            "000000040a220a100000000000000001000000000000000210072a0c697320636f6d706c65746564");
}

TEST(Notes, DamageIsNamed) {
  const auto damaged = [](std::string_view name, const auto& read) {
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Errc::data_loss);
    EXPECT_THAT(read.error().message, testing::HasSubstr(name));
  };
  damaged("batch/1", read_batch({.name = "batch/1", .value = "\xff\xff"}));
  damaged("batch/1", read_batch({.name = "batch/1", .value = ""}));
  Batch newer = whole_batch();
  newer.spec.act = static_cast<Act>(200);
  damaged("batch/", read_batch(batch_note(newer)));
  damaged("batch-sagas/1/0", read_sagas({.name = "batch-sagas/1/0", .value = "\xff"}));
  damaged("batch-sagas/1/0", read_sagas({.name = "batch-sagas/1/0", .value = "\x0a\x02\x10\x03"}));
}

}  // namespace
}  // namespace skald::batch
