// The values behind tests/golden/stored_v1: for every kind of event one record with every field set
// and one event of defaults. A golden file and its value here are never changed once released.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/core/event.h"
#include "engine/shard/hold.h"
#include "engine/shard/transition.h"
#include "engine/wire/stored.h"

namespace skald::golden {

struct RecordSample {
  std::string name;  // the file is stored_v1/<name>.bin
  std::vector<Event> events;
};

inline constexpr Instant kBegin = from_unix_ms(1'700'000'000'123);

template <class Kind>
RecordSample sample(std::string name, Kind full) {
  return {.name = std::move(name),
          .events = {{.at = kBegin, .body = std::move(full)},
                     {.at = kBegin + Millis{7}, .body = Kind{}}}};
}

inline std::vector<RecordSample> record_samples() {
  const LegRef leg{.step = 3, .leg = 300};
  const Outcome outcome{.kind = OutcomeKind::not_executed,
                        .code = "503",
                        .message = "try later",
                        .retry_after = Millis{0},
                        .configuration_alert = true};
  const Failure failure{.leg = "deduct_stock[7]",
                        .outcome = OutcomeKind::rejected,
                        .code = "failed_precondition",
                        .message = "out of stock"};
  const Actor actor{.name = "ann", .reason = "asked by the customer"};
  const Bytes any("\x00\x80\xFF any", 7);
  std::vector<RecordSample> samples;
  samples.push_back(sample("started", event::Started{.definition = "create_order",
                                                     .version = 2,
                                                     .steps = 8,
                                                     .source = "source",
                                                     .idempotency_key = "key-1",
                                                     .business_key = "order-1",
                                                     .body_hash = 0xFEDCBA9876543210ULL,
                                                     .input = any,
                                                     .deadline = kBegin + Millis{60'000}}));
  samples.push_back(sample(
      "started_replay",
      event::Started{
          .definition = "create_order",
          .version = 3,
          .steps = 8,
          .idempotency_key = "replay/0000000000000g000000000002/1",
          .replay = Replay{
              .of = {.placement = 1, .serial = 2},
              .actor = actor,
              .from = "deduct_stock",
              .kept = {{.step = 1, .legs = {{.key = "7", .request = any, .response = any}, {}}},
                       {.step = 2, .output = ""}}}}));
  samples.push_back(sample("step_kept", event::StepKept{.step = 2}));
  samples.push_back(sample("step_skipped", event::StepSkipped{.step = 65'535}));
  samples.push_back(sample(
      "step_started",
      event::StepStarted{
          .step = 3,
          .legs = {
              {.key = "7", .request = any}, {}, {.key = "8", .request = std::string(200, 'r')}}}));
  samples.push_back(sample("computed", event::Computed{.step = 2, .output = any}));
  samples.push_back(sample(
      "step_failed",
      event::StepFailed{.step = 2, .code = "builder", .message = "no price", .stuck = true}));
  samples.push_back(sample("step_retried", event::StepRetried{.step = 2}));
  samples.push_back(
      sample("wait_began", event::WaitBegan{.step = 4, .due_at = kBegin + Millis{3'600'000}}));
  samples.push_back(
      sample("wait_ended", event::WaitEnded{.step = 4, .signal_id = "s-1", .rejected = true}));
  samples.push_back(sample("intended", event::Intended{.leg = leg,
                                                       .operation = Operation::compensation,
                                                       .generation = 2,
                                                       .attempt = 9,
                                                       .request = any}));
  samples.push_back(sample("answered", event::Answered{.leg = leg,
                                                       .operation = Operation::probe,
                                                       .attempt = 9,
                                                       .outcome = outcome,
                                                       .response = any,
                                                       .phase = Phase::backing_off,
                                                       .stage = LegStage::undoing,
                                                       .maybe = true,
                                                       .overdue = true,
                                                       .retry_at = kBegin + Millis{250}}));
  samples.push_back(sample("operation_moved", event::OperationMoved{.leg = leg,
                                                                    .operation = Operation::probe,
                                                                    .phase = Phase::idle,
                                                                    .stage = LegStage::dropped,
                                                                    .generation = 2,
                                                                    .maybe = true,
                                                                    .overdue = true,
                                                                    .retry_at = kBegin,
                                                                    .code = "in_doubt",
                                                                    .message = "no probe"}));
  samples.push_back(sample("pivot_passed", event::PivotPassed{}));
  samples.push_back(sample("undo_began", event::UndoBegan{.failure = failure}));
  samples.push_back(sample("undo_deferred", event::UndoDeferred{.failure = failure}));
  samples.push_back(
      sample("signal_received",
             event::SignalReceived{.signal = {.id = "s-1", .name = "paid", .payload = any}}));
  samples.push_back(sample("cancel_asked", event::CancelAsked{.actor = actor}));
  samples.push_back(sample("retry_asked", event::RetryAsked{.actor = actor, .leg = "pay"}));
  samples.push_back(sample("deadline_missed", event::DeadlineMissed{}));
  samples.push_back(sample("completed", event::Completed{.output = any, .has_output = true}));
  samples.push_back(sample("definition_missing", event::DefinitionMissing{.missing = false}));
  samples.push_back(sample("compensated", event::Compensated{}));
  samples.push_back(sample("paused", event::Paused{.actor = actor}));
  samples.push_back(sample("resumed", event::Resumed{.actor = actor}));
  samples.push_back(sample("leg_skipped", event::LegSkipped{.actor = actor, .leg = leg}));
  samples.push_back(sample("resolved", event::Resolved{.actor = actor,
                                                       .leg = leg,
                                                       .operation = Operation::compensation,
                                                       .happened = true,
                                                       .response = "",
                                                       .phase = Phase::backing_off,
                                                       .stage = LegStage::undoing,
                                                       .retry_at = kBegin + Millis{1}}));
  samples.push_back(sample(
      "amended",
      event::Amended{.actor = actor,
                     .leg = leg,
                     .operation = Operation::compensation,
                     .generation = 2,
                     .request = any,
                     .endpoint = Endpoint{.participant = "http://127.0.0.1:9", .path = "/x"}}));
  samples.push_back(
      sample("compensation_marked", event::CompensationMarked{.actor = actor, .leg = leg}));
  samples.push_back(sample("abandoned", event::Abandoned{.actor = actor}));
  samples.push_back(sample(
      "folded", event::Folded{.events = 2'953,
                              .first_at = kBegin - Millis{3'600'000},
                              .status_since = kBegin - Millis{7'000},
                              .operations = {{.leg = leg,
                                              .operation = Operation::probe,
                                              .after = {.phase = Phase::backing_off,
                                                        .generation = 2,
                                                        .attempts = 1'482,
                                                        .spent_attempts = 1'477,
                                                        .repeats = 1'476,
                                                        .maybe = true,
                                                        .overdue = true,
                                                        .first_at = kBegin - Millis{3'700'000},
                                                        .held = Millis{60'000},
                                                        .last_at = kBegin,
                                                        .retry_at = kBegin + Millis{30'000},
                                                        .last = outcome},
                                              .first_attempt = 6,
                                              .outcomes = {1, 2, 3, 1'470, 1}},
                                             {}}}));
  samples.push_back(sample("folded_been_stuck",
                           event::Folded{.events = 5, .operations = {}, .been_stuck = true}));
  return samples;
}

inline FailureClass failure_sample() {
  return {.step = "deduct_stock",
          .participant = "inventory",
          .operation = Operation::compensation,
          .outcome = OutcomeKind::rejected,
          .code = "failed_precondition",
          .message = "sku # is short",
          .cause = {.value = 0x3F2A9C11D0E4B7AAULL}};
}

struct SummarySample {
  std::string name;
  SagaSummary summary;
};

inline std::vector<SummarySample> summary_samples() {
  return {{.name = "summary",
           .summary = {.definition = "create_order",
                       .version = 2,
                       .status = SagaStatus::compensated,
                       .waiting = true,
                       .business_key = "order-1",
                       .idempotency_key = "key-1",
                       .started_at = kBegin,
                       .ended_at = kBegin + Millis{1'500}}},
          {.name = "summary_defaults", .summary = {}},
          {.name = "summary_failed",
           .summary = {.definition = "create_order",
                       .version = 2,
                       .status = SagaStatus::stuck,
                       .business_key = "order-1",
                       .started_at = kBegin,
                       .failure = failure_sample(),
                       .since = kBegin + Millis{1'500}}}};
}

inline wire::StoredCause cause_sample() {
  return {.definition = "create_order", .failure = failure_sample()};
}

inline Alert alert_sample() {
  return {.kind = AlertKind::stuck,
          .at = kBegin,
          .saga = {.placement = 1, .serial = 2},
          .seq = 17,
          .definition = "create_order",
          .version = 2,
          .business_key = "order-1",
          .leg = "deduct_stock[7]",
          .participant = "inventory",
          .operation = Operation::compensation,
          .code = "locked",
          .cause = {0xABCD'EF01'2345'6789},
          .text = "words"};
}

inline ParticipantHold hold_sample() {
  return {.participant = "inventory",
          .path = "/inventory.InventoryRpc/DeductStock",
          .actor = {.name = "ann", .reason = "stock is recounted"},
          .at = kBegin};
}

}  // namespace skald::golden
