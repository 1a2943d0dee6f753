// The engine's values as API messages: answers, list lines and whole sagas. One direction only;
// what clients send is read in saga_service.cc.
#pragma once

#include <vector>

#include "engine/core/event.h"
#include "engine/runtime/engine.h"
#include "skald/v1/saga.pb.h"

namespace skald::api {

inline constexpr int kLegsShownMax = 1'000;  // of one step; those that need attention come first
inline constexpr int kTriesShownMax = 20;    // of one operation
inline constexpr int kTriesShownFirst = 5;   // of them, how many from the beginning

/// Which of the two forms an answer's output takes.
enum class OutputForm : std::uint8_t { bytes = 1, value };

struct SagaView {
  bool payloads = false;                       // requests, responses, step outputs
  const std::vector<Event>* events = nullptr;  // every attempt with its times; null: left out
};

/// `definition` prints the output; null, or an output without a JSON form: bytes after all.
void fill_answer(SagaAnswer answer, OutputForm form, const Definition* definition,
                 v1::SagaAnswer& to);
void fill_summary(const ListedSaga& saga, v1::SagaSummary& to);
/// Without its filter.
void fill_group(const FailureGroup& group, GroupBy by, v1::FailureGroup& to);
/// The explanation included. Not for hot paths.
void fill_saga(const SagaSnapshot& snapshot, const SagaView& view, v1::Saga& to);

void fill_time(Instant at, google::protobuf::Timestamp& to);

}  // namespace skald::api
