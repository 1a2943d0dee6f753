#include "engine/store/rocks_expected.h"

#include "engine/core/evolve.h"
#include "engine/shard/saga_rows.h"
#include "engine/wire/stored.h"

namespace skald::rocks {
namespace {

/// What a batch leaves in the column family "default".
class Collector final : public rocksdb::WriteBatch::Handler {
 public:
  Collector(std::uint32_t family, std::map<std::string, std::string>& rows)
      : family_(family), rows_(rows) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (family == family_) rows_[key.ToString()] = value.ToString();
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    if (family == family_) rows_.erase(key.ToString());
    return rocksdb::Status::OK();
  }

 private:
  std::uint32_t family_;
  std::map<std::string, std::string>& rows_;
};

}  // namespace

void fold(History& history, std::uint64_t first_seq, std::string_view stored) {
  if (!history.broken.empty()) return;
  SagaState& state = history.state;
  ByteReader reader(stored);
  const std::uint64_t count = reader.number(kCountSize);
  if (first_seq != state.seq + 1) {
    history.broken = fmt::format("events from seq={} are missing, the next record is seq={}",
                                 state.seq + 1, first_seq);
    return;
  }
  const auto events = wire::decode_events(reader.rest());
  if (!reader.sound() || !events) {
    history.broken = fmt::format("a record seq={} that is damaged ({})", first_seq,
                                 events ? "cut short" : events.error().message);
    return;
  }
  std::uint64_t held = 0;
  for (const Event& event : *events) held += events_in(event);
  if (held != count) {
    history.broken =
        fmt::format("a record seq={} of {} events that says {}", first_seq, held, count);
    return;
  }
  for (const Event& event : *events) {
    if (!fits(state, event)) {
      history.broken = fmt::format("event {} names a step or leg that is not there", state.seq + 1);
      return;
    }
    evolve(state, event);
  }
}

Result<SagaSummary> ExpectedRows::summary(const SagaState& state) {
  const DefinitionPtr definition =
      options_.definition_of ? options_.definition_of(state) : DefinitionPtr();
  const auto row =
      reader_.get(at_, Bytestring()
                           .begin(RowKind::listed)
                           .byte(static_cast<std::uint8_t>(state.status))
                           .newest_first({.started_at = state.started_at, .id = state.id})
                           .view());
  if (!row) return std::unexpected(row.error());
  const auto stored = *row ? wire::decode_summary(**row) : Result<SagaSummary>(SagaSummary{});
  const bool known = *row && stored;
  bool waiting = stored_as_waiting(state, definition.get());
  if (!definition && known) waiting = stored->waiting;
  SagaSummary summary = summary_of(definition.get(), state, waiting);
  // Rows that an earlier build wrote have no failure.
  if (known && (!definition || !stored->failure)) {
    summary.failure = stored->failure;
    summary.since = stored->since;
  }
  return summary;
}

Result<ExpectedRows::OfSaga> ExpectedRows::rows(const SagaState& state, bool counts) {
  auto summary_read = summary(state);
  if (!summary_read) return std::unexpected(summary_read.error());
  const SagaSummary& summary = *summary_read;
  OfSaga expected;
  if (!state.idempotency_key.empty()) {
    const auto row = reader_.get(
        at_, Bytestring().begin(RowKind::submission_key).bytes(state.idempotency_key).view());
    if (!row) return std::unexpected(row.error());
    const auto key = *row ? read_key_value(**row) : std::nullopt;
    expected.has_key = key && key->saga == state.id;
  }
  Transition t{.id = state.id, .after = summary};
  t.timer_after = stored_timer(state, summary.waiting);
  if (expected.has_key) {
    t.new_key =
        KeyRow{.key = state.idempotency_key, .saga = state.id, .body_hash = state.body_hash};
  }
  Tally nowhere;
  Tally& tally = counts ? tally_ : nowhere;
  rocksdb::WriteBatch batch;
  BatchWriter writer(batch, families_);
  writer.transition(t, tally.counts);
  if (has_cause_row(summary.status)) writer.add_causes(state.id, summary, tally.causes);
  if (state.terminal && !state.idempotency_key.empty() && !expected.has_key) {
    writer.remove_key(state.idempotency_key, state.id, &summary);
  }
  Collector collector(families_.rows->GetID(), expected.rows);
  const auto status = batch.Iterate(&collector);
  if (!status.ok()) return fail(Errc::internal, "a batch cannot be read: {}", status.ToString());
  return expected;
}

}  // namespace skald::rocks
