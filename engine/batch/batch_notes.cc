#include "engine/batch/batch_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stored/v1/batch.pb.h"

namespace skald::batch {
namespace {

std::string bytes_of(const SagaId& id) {
  std::string bytes;
  id.append_bytes(bytes);
  return bytes;
}

std::unexpected<Error> damaged(const Note& note, std::string_view what) {
  return fail(Errc::data_loss, "note {}: {}", note.name, what);
}

}  // namespace

std::string batch_note_name(Number number) { return fmt::format("{}{:020}", kBatchPrefix, number); }

std::string sagas_prefix(Number number) { return fmt::format("batch-sagas/{:020}/", number); }

std::string sagas_note_name(Number number, std::size_t part) {
  return fmt::format("{}{:06}", sagas_prefix(number), part);
}

Note batch_note(const Batch& batch) {
  const Spec& spec = batch.spec;
  stored::v1::Batch to;
  to.set_number(batch.number);
  to.set_act(std::to_underlying(spec.act));
  to.set_filter(spec.filter);
  to.set_actor(spec.actor.name);
  to.set_reason(spec.actor.reason);
  to.set_leg(spec.leg);
  to.set_happened(spec.happened);
  to.set_hold(spec.hold);
  to.set_version(spec.version);
  to.set_newest(spec.newest);
  to.set_from(spec.from);
  to.set_again(spec.again);
  to.set_rate(spec.rate);
  to.set_in_flight_max(spec.in_flight_max);
  to.set_key(spec.key);
  to.set_stage(std::to_underlying(batch.stage));
  if (batch.changed_by) {
    to.mutable_changed_by()->set_name(batch.changed_by->name);
    to.mutable_changed_by()->set_reason(batch.changed_by->reason);
  }
  to.set_began_at_ms(to_unix_ms(batch.began_at));
  to.set_ended_at_ms(to_unix_ms(batch.ended_at));
  to.set_sagas(batch.sagas);
  for (const std::uint64_t one : batch.counts) to.add_counts(one);
  return {.name = batch_note_name(batch.number), .value = to.SerializeAsString()};
}

Note sagas_note(Number number, std::size_t part, std::span<const Entry> entries) {
  stored::v1::BatchSagas to;
  for (const Entry& entry : entries) {
    auto& saga = *to.add_sagas();
    saga.set_id(bytes_of(entry.saga));
    saga.set_outcome(std::to_underlying(entry.outcome));
    saga.set_followed_itself(entry.followed == entry.saga);
    const bool another = entry.followed != entry.saga && entry.followed != SagaId{};
    if (another) saga.set_followed(bytes_of(entry.followed));
    saga.set_why(entry.why);
  }
  return {.name = sagas_note_name(number, part), .value = to.SerializeAsString()};
}

Result<Batch> read_batch(const Note& note) {
  stored::v1::Batch from;
  if (!from.ParseFromString(note.value.value_or(Bytes()))) return damaged(note, "is no batch");
  const bool known = from.act() >= 1 && from.act() <= std::size(kActs) && from.stage() >= 1 &&
                     from.stage() <= std::to_underlying(Stage::finished);
  if (!known || from.rate() == 0 || from.in_flight_max() == 0) {
    return damaged(note, "is of a newer version, or no batch");
  }
  Batch batch{.number = from.number(),
              .spec = {.act = static_cast<Act>(from.act()),
                       .filter = from.filter(),
                       .actor = {.name = from.actor(), .reason = from.reason()},
                       .leg = from.leg(),
                       .happened = from.happened(),
                       .hold = from.hold(),
                       .version = from.version(),
                       .newest = from.newest(),
                       .from = from.from(),
                       .again = from.again(),
                       .rate = from.rate(),
                       .in_flight_max = from.in_flight_max(),
                       .key = from.key()},
              .stage = static_cast<Stage>(from.stage()),
              .changed_by = {},
              .began_at = from_unix_ms(from.began_at_ms()),
              .ended_at = from_unix_ms(from.ended_at_ms()),
              .sagas = from.sagas()};
  if (from.has_changed_by()) {
    batch.changed_by =
        Actor{.name = from.changed_by().name(), .reason = from.changed_by().reason()};
  }
  for (int i = 0; i < from.counts_size() && i < static_cast<int>(kOutcomes); ++i) {
    batch.counts[static_cast<std::size_t>(i)] = from.counts(i);
  }
  return batch;
}

Result<std::vector<Entry>> read_sagas(const Note& note) {
  stored::v1::BatchSagas from;
  if (!from.ParseFromString(note.value.value_or(Bytes()))) {
    return damaged(note, "are no sagas of a batch");
  }
  std::vector<Entry> entries;
  for (const auto& saga : from.sagas()) {
    const bool whole = saga.id().size() == SagaId::kBytesSize && saga.outcome() < kOutcomes &&
                       (saga.followed().empty() || saga.followed().size() == SagaId::kBytesSize);
    if (!whole) return damaged(note, "names a saga that cannot be");
    Entry entry{.saga = SagaId::from_bytes(saga.id()),
                .outcome = static_cast<Outcome>(saga.outcome()),
                .followed = {},
                .why = saga.why()};
    if (saga.followed_itself()) entry.followed = entry.saga;
    if (!saga.followed().empty()) entry.followed = SagaId::from_bytes(saga.followed());
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace skald::batch
