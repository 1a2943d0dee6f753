// Stores of format 1 have no rows by cause and no counts by definition, those of format 2 no rows
// of ended sagas by definition. They are made once, at the first open, from the list's rows; a
// crash in between begins again. Sagas that failed before have no failure in their rows until they
// are written next.
#include "engine/store/rocks_options.h"
#include "engine/store/rocks_store.h"

namespace skald {
namespace {

constexpr std::uint64_t kRowsPerWrite = 10'000;
constexpr std::uint64_t kRowsPerReport = 100'000;

}  // namespace

Result<void> RocksStore::clear_indexes() {
  // The old counts stay until all is done: until then the build that wrote them may open the store.
  for (const rocks::RowKind kind :
       {rocks::RowKind::definition, rocks::RowKind::counted, rocks::RowKind::cause,
        rocks::RowKind::cause_saga, rocks::RowKind::stuck_since}) {
    const std::string begin = rocks::Bytestring().begin(kind).view();
    const auto status = batch_.DeleteRange(families_.rows, begin, rocks::after_prefix(begin));
    if (!status.ok()) return std::unexpected(reader_->failed("index rows", status));
  }
  return write();
}

Result<void> RocksStore::index_status(SagaStatus status, std::uint64_t& done) {
  rocks::BatchWriter writer(batch_, families_);
  rocks::CauseChanges causes;
  const auto rows = reader_->rows(rocks::Bytestring()
                                      .begin(rocks::RowKind::listed)
                                      .byte(static_cast<std::uint8_t>(status))
                                      .view());
  for (; rows->valid(); rows->next()) {
    const ListPosition position = rocks::ByteReader(rows->key()).newest_first();
    const auto summary = reader_->decode(position, rows->value());
    if (!summary) return std::unexpected(summary.error());
    counts_.enter(summary->definition, status);
    if (rocks::has_cause_row(status)) writer.add_causes(position.id, *summary, causes);
    if (++done % kRowsPerReport == 0) options_.log.info("indexing sagas done={}", done);
    if (done % kRowsPerWrite != 0) continue;
    if (auto written = write(); !written) return written;
  }
  if (!rows->status().ok()) return std::unexpected(reader_->failed("the list", rows->status()));
  if (auto written = write_causes(writer, causes); !written) return written;
  return write();
}

// Written before the format's number, so that a crash in between begins again; the same rows twice
// are the same rows.
Result<void> RocksStore::index_removable() {
  options_.log.info("indexing ended sagas: this is done once directory={}", options_.directory);
  rocks::BatchWriter writer(batch_, families_);
  std::uint64_t done = 0;
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    if (!is_terminal(static_cast<SagaStatus>(status))) continue;
    const auto rows =
        reader_->rows(rocks::Bytestring().begin(rocks::RowKind::listed).byte(status).view());
    for (; rows->valid(); rows->next()) {
      const ListPosition position = rocks::ByteReader(rows->key()).newest_first();
      const auto summary = reader_->decode(position, rows->value());
      if (!summary) return std::unexpected(summary.error());
      bool has_key = false;
      if (!summary->idempotency_key.empty()) {
        const auto key = get_key({}, summary->idempotency_key);
        if (!key) return std::unexpected(key.error());
        has_key = *key && (*key)->saga == position.id;
      }
      if (!has_key) writer.add_removable(position.id, *summary);
      if (++done % kRowsPerReport == 0) options_.log.info("indexing ended sagas done={}", done);
      if (done % kRowsPerWrite != 0) continue;
      if (auto written = write(); !written) return written;
    }
    if (!rows->status().ok()) return std::unexpected(reader_->failed("the list", rows->status()));
  }
  return write();
}

Result<void> RocksStore::index_failures() {
  options_.log.info("indexing sagas: the store is of format 1, this is done once directory={}",
                    options_.directory);
  if (auto cleared = clear_indexes(); !cleared) return cleared;
  std::uint64_t done = 0;
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    if (auto indexed = index_status(static_cast<SagaStatus>(status), done); !indexed) {
      counts_.drop();
      return indexed;
    }
  }
  rocks::BatchWriter writer(batch_, families_);
  writer.counts(counts_);
  writer.remove_old_counts();
  writer.format();
  auto written = write();
  if (written) {
    counts_.keep();
  } else {
    counts_.drop();
  }
  options_.log.info("indexed sagas done={}", done);
  return written;
}

}  // namespace skald
