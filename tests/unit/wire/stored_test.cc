// Stored values: what is read is what was written, the bytes never change, and damage is said.
#include "engine/wire/stored.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "engine/base/hash.h"
#include "stored/v1/stored.pb.h"
#include "tests/golden/stored_samples.h"

namespace skald::wire {
namespace {

std::string encoded(const std::vector<Event>& events) {
  std::string bytes;
  encode_events(events, bytes);
  return bytes;
}

std::string encoded(const SagaSummary& summary) {
  std::string bytes;
  encode_summary(summary, bytes);
  return bytes;
}

std::string encoded(const StoredCause& cause) {
  std::string bytes;
  encode_cause(cause, bytes);
  return bytes;
}

// The message inside the frame.
std::string_view body_of(std::string_view bytes) { return bytes.substr(1, bytes.size() - 5); }

std::string framed(std::string_view body) {
  std::string bytes(1, static_cast<char>(kStoredVersion));
  bytes += body;
  const std::uint32_t crc = crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(crc >> shift));
  return bytes;
}

// Random events: small numbers, edges and arbitrary bytes alike.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint64_t seed) : random_(seed) {}

  std::vector<Event> record() {
    std::vector<Event> events(below(6));
    Instant at = instant();
    for (Event& event : events) {
      event.at = at;
      event.body = body();
      const Millis step{static_cast<std::int64_t>(below(3))};
      at = below(8) == 0 ? instant() : add_saturated(at, step);
    }
    return events;
  }
  FailureClass failure_class() {
    return {.step = bytes(),
            .participant = bytes(),
            .operation = operation(),
            .outcome = outcome_kind(),
            .code = bytes(),
            .message = bytes(),
            .cause = {.value = random_()}};
  }
  StoredCause cause() {
    StoredCause made{.definition = bytes(), .failure = {}};
    if (yes()) made.failure = failure_class();
    return made;
  }
  SagaSummary summary() {
    SagaSummary made = summary_that_goes_forward();
    if (yes()) return made;
    made.failure = failure_class();
    made.since = instant();
    return made;
  }
  SagaSummary summary_that_goes_forward() {
    return {.definition = bytes(),
            .version = number(),
            .status = static_cast<SagaStatus>(1 + below(kSagaStatusCount)),
            .waiting = yes(),
            .business_key = bytes(),
            .idempotency_key = bytes(),
            .started_at = instant(),
            .ended_at = yes() ? Instant{} : instant()};
  }
  std::string bytes() {
    std::string out(below(4) == 0 ? below(400) : below(9), '\0');
    for (char& byte : out) byte = static_cast<char>(random_());
    return out;
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  bool yes() { return below(2) == 0; }
  std::uint32_t number() {
    const auto any = static_cast<std::uint32_t>(random_());
    return below(3) == 0 ? any : any % 4;
  }
  std::uint16_t index() { return static_cast<std::uint16_t>(number()); }
  Instant instant() {
    switch (below(6)) {
      case 0:
        return Instant{};
      case 1:
        return kNever;
      case 2:
        return Instant::min();
      default:
        return golden::kBegin + Millis{static_cast<std::int64_t>(below(100'000))};
    }
  }
  LegRef leg() { return {.step = index(), .leg = number()}; }
  Operation operation() { return static_cast<Operation>(1 + below(3)); }
  Phase phase() { return static_cast<Phase>(below(5)); }
  LegStage stage() { return static_cast<LegStage>(1 + below(7)); }
  OutcomeKind outcome_kind() { return static_cast<OutcomeKind>(1 + below(5)); }
  Failure failure() {
    return {.leg = bytes(), .outcome = outcome_kind(), .code = bytes(), .message = bytes()};
  }
  Actor actor() { return {.name = bytes(), .reason = bytes()}; }
  Outcome outcome() {
    Outcome o{
        .kind = outcome_kind(), .code = bytes(), .message = bytes(), .configuration_alert = yes()};
    if (yes()) o.retry_after = Millis{static_cast<std::int64_t>(random_())};
    return o;
  }
  std::optional<Replay> replay() {
    if (yes()) return std::nullopt;
    Replay made{.of = {.placement = random_(), .serial = random_()},
                .actor = actor(),
                .from = bytes(),
                .kept = {}};
    made.kept.resize(below(4));
    for (KeptStep& step : made.kept) {
      step.step = index();
      step.legs.resize(below(3));
      for (auto& leg : step.legs) {
        leg = {.key = bytes(), .request = bytes(), .response = bytes()};
      }
      if (yes()) step.output = bytes();
    }
    return made;
  }
  event::StepStarted step_started() {
    event::StepStarted e{.step = index()};
    e.legs.resize(below(5));
    for (auto& one : e.legs) one = {.key = bytes(), .request = bytes()};
    return e;
  }
  event::Folded folded() {
    event::Folded e{.events = random_(),
                    .first_at = instant(),
                    .status_since = instant(),
                    .operations = {},
                    .been_stuck = random_() % 2 == 0};
    e.operations.resize(below(4));
    for (auto& one : e.operations) {
      one = {.leg = leg(),
             .operation = operation(),
             .after = {.phase = phase(),
                       .generation = number(),
                       .attempts = number(),
                       .spent_attempts = number(),
                       .repeats = number(),
                       .maybe = yes(),
                       .overdue = yes(),
                       .first_at = instant(),
                       .held = Millis{static_cast<std::int64_t>(random_())},
                       .last_at = instant(),
                       .retry_at = instant(),
                       .last = outcome()},
             .first_attempt = number(),
             .outcomes = {number(), number(), number(), number(), number()}};
    }
    return e;
  }
  event::Body body() {
    switch (below(std::variant_size_v<event::Body>)) {
      case 0:
        return event::Started{.definition = bytes(),
                              .version = number(),
                              .steps = index(),
                              .source = bytes(),
                              .idempotency_key = bytes(),
                              .business_key = bytes(),
                              .body_hash = random_(),
                              .input = bytes(),
                              .deadline = instant(),
                              .replay = replay()};
      case 1:
        return event::StepSkipped{.step = index()};
      case 2:
        return step_started();
      case 3:
        return event::Computed{.step = index(), .output = bytes()};
      case 4:
        return event::StepFailed{
            .step = index(), .code = bytes(), .message = bytes(), .stuck = yes()};
      case 5:
        return event::StepRetried{.step = index()};
      case 6:
        return event::WaitBegan{.step = index(), .due_at = instant()};
      case 7:
        return event::WaitEnded{.step = index(), .signal_id = bytes(), .rejected = yes()};
      case 8:
        return event::Intended{.leg = leg(),
                               .operation = operation(),
                               .generation = number(),
                               .attempt = number(),
                               .request = bytes()};
      case 9:
        return event::Answered{.leg = leg(),
                               .operation = operation(),
                               .attempt = number(),
                               .outcome = outcome(),
                               .response = bytes(),
                               .phase = phase(),
                               .stage = stage(),
                               .maybe = yes(),
                               .overdue = yes(),
                               .retry_at = instant()};
      case 10:
        return event::OperationMoved{.leg = leg(),
                                     .operation = operation(),
                                     .phase = phase(),
                                     .stage = stage(),
                                     .generation = number(),
                                     .maybe = yes(),
                                     .overdue = yes(),
                                     .retry_at = instant(),
                                     .code = bytes(),
                                     .message = bytes()};
      case 11:
        return event::PivotPassed{};
      case 12:
        return event::UndoBegan{.failure = failure()};
      case 13:
        return event::UndoDeferred{.failure = failure()};
      case 14:
        return event::SignalReceived{
            .signal = {.id = bytes(), .name = bytes(), .payload = bytes()}};
      case 15:
        return event::CancelAsked{.actor = actor()};
      case 16:
        return event::RetryAsked{.actor = actor(), .leg = bytes()};
      case 17:
        return event::DeadlineMissed{};
      case 18:
        return event::Completed{.output = bytes(), .has_output = yes()};
      case 19:
        return event::DefinitionMissing{.missing = yes()};
      case 20:
        return event::Compensated{};
      default:
        return act();
    }
  }
  event::Body act() {
    switch (below(8)) {
      case 7:
        return event::StepKept{.step = index()};
      case 0:
        return event::Paused{.actor = actor()};
      case 1:
        return event::Resumed{.actor = actor()};
      case 2:
        return event::LegSkipped{.actor = actor(), .leg = leg()};
      case 3: {
        event::Resolved e{.actor = actor(),
                          .leg = leg(),
                          .operation = operation(),
                          .happened = yes(),
                          .response = {},
                          .phase = phase(),
                          .stage = stage(),
                          .retry_at = instant()};
        if (yes()) e.response = bytes();
        return e;
      }
      case 4: {
        event::Amended e{.actor = actor(),
                         .leg = leg(),
                         .operation = operation(),
                         .generation = number(),
                         .request = {},
                         .endpoint = {}};
        if (yes()) e.request = bytes();
        if (yes()) e.endpoint = Endpoint{.participant = bytes(), .path = bytes()};
        return e;
      }
      case 5:
        return event::CompensationMarked{.actor = actor(), .leg = leg()};
      case 6:
        return folded();
      default:
        return event::Abandoned{.actor = actor()};
    }
  }

  std::mt19937_64 random_;
};

// A seed from the environment repeats a failed run.
std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("SKALD_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 8317;
  std::printf("seed=%llu (SKALD_SEED=n runs another)\n", static_cast<unsigned long long>(seed));
  return seed;
}

constexpr int kRandomRounds = 5'000;

TEST(StoredEvents, ReadBackAsTheyWereWritten) {
  RandomEvents random(seed_of_this_run());
  for (int round = 0; round < kRandomRounds; ++round) {
    const std::vector<Event> events = random.record();
    const auto read = decode_events(encoded(events));
    ASSERT_TRUE(read.has_value()) << "round " << round << ": " << read.error().message;
    ASSERT_EQ(*read, events) << "round " << round;
  }
}

TEST(StoredSummary, ReadsBackAsItWasWritten) {
  RandomEvents random(seed_of_this_run());
  for (int round = 0; round < kRandomRounds; ++round) {
    const SagaSummary summary = random.summary();
    const auto read = decode_summary(encoded(summary));
    ASSERT_TRUE(read.has_value()) << "round " << round << ": " << read.error().message;
    ASSERT_EQ(*read, summary) << "round " << round;
  }
}

TEST(StoredSummary, IsTheBytesOfTheGeneratedCode) {
  RandomEvents random(seed_of_this_run());
  for (int round = 0; round < kRandomRounds; ++round) {
    const std::string bytes = encoded(random.summary());
    ::stored::v1::Summary summary;
    ASSERT_TRUE(summary.ParseFromString(std::string(body_of(bytes))));
    ASSERT_EQ(summary.SerializeAsString(), body_of(bytes)) << "round " << round;
  }
}

TEST(StoredCauses, ReadBackAsTheyWereWritten) {
  RandomEvents random(seed_of_this_run());
  for (int round = 0; round < kRandomRounds; ++round) {
    const StoredCause cause = random.cause();
    const auto read = decode_cause(encoded(cause));
    ASSERT_TRUE(read.has_value()) << "round " << round << ": " << read.error().message;
    ASSERT_EQ(*read, cause) << "round " << round;
  }
  EXPECT_FALSE(decode_cause("damaged").has_value());
}

// stored.proto is the schema: the bytes written by hand are those of the generated code.
TEST(StoredEvents, AreTheBytesOfTheGeneratedCode) {
  RandomEvents random(seed_of_this_run());
  for (int round = 0; round < kRandomRounds; ++round) {
    const std::string bytes = encoded(random.record());
    ::stored::v1::Record record;
    ASSERT_TRUE(record.ParseFromString(std::string(body_of(bytes))));
    ASSERT_EQ(record.SerializeAsString(), body_of(bytes)) << "round " << round;
  }
}

TEST(StoredEvents, AppendToWhatIsThere) {
  const std::vector<Event> events = {{.at = golden::kBegin, .body = event::PivotPassed{}}};
  std::string bytes = "before";
  encode_events(events, bytes);
  EXPECT_EQ(bytes, "before" + encoded(events));
}

TEST(StoredEvents, OfAnUsualReplyTakeFewBytes) {
  // An answer and the next intent: what most records hold.
  const std::vector<Event> events = {
      {.at = golden::kBegin,
       .body = event::Answered{.leg = {.step = 3},
                               .outcome = {.kind = OutcomeKind::succeeded},
                               .phase = Phase::settled,
                               .stage = LegStage::done}},
      {.at = golden::kBegin, .body = event::Intended{.leg = {.step = 4}}}};
  EXPECT_LE(encoded(events).size(), 24u);
}

TEST(StoredEvents, SayThatAnyFlippedBitIsDamage) {
  for (const auto& sample : golden::record_samples()) {
    const std::string good = encoded(sample.events);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      const auto read = decode_events(bad);
      ASSERT_FALSE(read.has_value()) << sample.name << " bit " << bit;
      ASSERT_EQ(read.error().code, Errc::data_loss);
    }
  }
}

TEST(StoredEvents, SayThatAnyCutIsDamage) {
  for (const auto& sample : golden::record_samples()) {
    const std::string good = encoded(sample.events);
    for (std::size_t size = 0; size < good.size(); ++size) {
      const auto read = decode_events(std::string_view(good).substr(0, size));
      ASSERT_FALSE(read.has_value()) << sample.name << " size " << size;
      ASSERT_EQ(read.error().code, Errc::data_loss);
    }
  }
}

// A checksum may be right by accident or by malice: what is inside is not trusted either.
TEST(StoredEvents, SurviveDamageUnderAGoodChecksum) {
  RandomEvents random(seed_of_this_run());
  int refused = 0;
  for (int round = 0; round < kRandomRounds; ++round) {
    std::string body(body_of(encoded(random.record())));
    if (body.empty()) continue;
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      body[random.below(body.size())] = static_cast<char>(random.below(256));
    }
    const auto read = decode_events(framed(body));
    if (!read) {
      ++refused;
      EXPECT_EQ(read.error().code, Errc::data_loss);
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(StoredEvents, NameTheEventAndFieldThatCannotBe) {
  ::stored::v1::Record record;
  record.add_events()->mutable_pivot_passed();
  record.add_events()->mutable_step_skipped()->set_step(70'000);
  const auto read = decode_events(framed(record.SerializeAsString()));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().message,
            "stored record: event 2 of 2: step 70000 is unknown or out of range");
}

TEST(StoredEvents, OfAnUnknownKindAreRefused) {
  ::stored::v1::Record record;
  record.add_events()->set_at_delta_ms(0);
  const auto read = decode_events(framed(record.SerializeAsString()));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::data_loss);
}

TEST(StoredEvents, OfAnUnknownFrameVersionAreRefusedByNumber) {
  std::string bytes = "\x02";
  const std::uint32_t crc = crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(crc >> shift));
  const auto read = decode_events(bytes);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().message, "stored value has format version 2, this build reads 1");
}

// Fields that a later version adds are ignored, at every level.
TEST(StoredEvents, IgnoreFieldsTheyDoNotKnow) {
  const std::vector<Event> events = {
      {.at = golden::kBegin, .body = event::Computed{.step = 1, .output = "x"}}};
  ::stored::v1::Record record;
  const std::string plain = encoded(events);
  ASSERT_TRUE(record.ParseFromString(std::string(body_of(plain))));
  const std::string unknown = "\xA2\x06\x03new";  // field 100
  auto& event = *record.mutable_events(0);
  ASSERT_TRUE(event.mutable_computed()->MergeFromString(unknown));
  ASSERT_TRUE(event.MergeFromString(unknown));
  ASSERT_TRUE(record.MergeFromString(unknown));
  const std::string later = framed(record.SerializeAsString());
  ASSERT_GT(later.size(), plain.size());
  const auto read = decode_events(later);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, events);
}

TEST(StoredFrame, IsCheckedWithoutReadingWhatIsInside) {
  EXPECT_TRUE(check_stored(framed("anything at all")).has_value());
  EXPECT_FALSE(check_stored("anything at all").has_value());
  EXPECT_FALSE(check_stored("").has_value());
}

}  // namespace
}  // namespace skald::wire
