#include "engine/store/rocks_rows.h"

#include "engine/wire/stored.h"

namespace skald::rocks {

Rows::Rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string prefix,
           rocksdb::ReadOptions options, Direction direction)
    : prefix_(std::move(prefix)),
      end_(after_prefix(prefix_)),
      direction_(direction),
      first_(prefix_),
      bound_(end_) {
  if (!end_.empty()) options.iterate_upper_bound = &bound_;
  options.iterate_lower_bound = &first_;
  row_.reset(db.NewIterator(options, family));
  if (direction_ == Direction::forward) {
    row_->Seek(prefix_);
  } else {
    row_->SeekToLast();
  }
}

void Rows::seek(std::string_view rest) {
  const std::string key = prefix_ + std::string(rest);
  if (direction_ == Direction::forward) {
    row_->Seek(key);
  } else {
    row_->SeekForPrev(key);
  }
}

void Rows::seek_behind(std::string_view rest) {
  seek(rest);
  if (valid() && key() == rest) next();
}

void Rows::next() {
  if (direction_ == Direction::forward) {
    row_->Next();
  } else {
    row_->Prev();
  }
}

Error RowReader::damaged(std::string_view what) const {
  Error error{Errc::data_loss,
              fmt::format("{}: {} is damaged; restore it from a copy", directory_, what)};
  health_.end_writing(error.message);
  return error;
}

Error RowReader::failed(std::string_view what, const rocksdb::Status& status) const {
  Error error{status.IsCorruption() ? Errc::data_loss : Errc::unavailable,
              fmt::format("{}: cannot read {}: {}", directory_, what, status.ToString())};
  health_.end_writing(error.message);
  return error;
}

Result<std::optional<std::string>> RowReader::get(const rocksdb::ReadOptions& options,
                                                  const std::string& key) const {
  std::string value;
  const auto status = db_.Get(options, families_.rows, key, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(failed("a row", status));
  return value;
}

Result<SagaSummary> RowReader::decode(const ListPosition& position, std::string_view value) const {
  auto summary = wire::decode_summary(value);
  if (summary) return summary;
  return std::unexpected(damaged(
      fmt::format("index row of saga_id={} ({})", position.id.text(), summary.error().message)));
}

Result<std::optional<SagaSummary>> RowReader::summary(const rocksdb::ReadOptions& options,
                                                      SagaStatus status,
                                                      const ListPosition& position) const {
  Bytestring key;
  const auto value = get(options, key.begin(RowKind::listed)
                                      .byte(static_cast<std::uint8_t>(status))
                                      .newest_first(position)
                                      .view());
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  auto summary = decode(position, **value);
  if (!summary) return std::unexpected(summary.error());
  return std::move(*summary);
}

Result<std::optional<SagaSummary>> RowReader::summary(const rocksdb::ReadOptions& options,
                                                      const ListPosition& position) const {
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    auto found = summary(options, static_cast<SagaStatus>(status), position);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

Result<std::optional<Instant>> RowReader::started_at(const rocksdb::ReadOptions& options,
                                                     const SagaId& id) const {
  std::string value;
  const auto status =
      db_.Get(options, families_.events, Bytestring().id(id).number64(1).view(), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(failed("saga_id=" + id.text(), status));
  ByteReader reader(value);
  reader.number(kCountSize);
  const auto events = wire::decode_events(reader.rest());
  if (!events || events->empty()) {
    return std::unexpected(damaged(fmt::format("the first record of saga_id={}", id.text())));
  }
  return events->front().at;
}

}  // namespace skald::rocks
