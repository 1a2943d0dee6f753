#include "engine/store/rocks_check.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "engine/store/rocks_expected.h"
#include "engine/wire/stored.h"

namespace skald::rocks {
namespace {

constexpr std::uint64_t kSagasPerReport = 100'000;

/// A kind of row that belongs to one saga, and where its id stands.
struct KindOfRow {
  RowKind kind;
  std::string_view name;
  std::uint64_t since;  // the first format that has it
};
constexpr std::array kKinds = {
    KindOfRow{RowKind::listed, "list", 1},
    KindOfRow{RowKind::active, "active", 1},
    KindOfRow{RowKind::submission_key, "idempotency key", 1},
    KindOfRow{RowKind::business_key, "business key", 1},
    KindOfRow{RowKind::timer, "timer", 1},
    KindOfRow{RowKind::ended, "end", 1},
    KindOfRow{RowKind::cause_saga, "cause", 2},
    KindOfRow{RowKind::stuck_since, "stuck", 2},
    KindOfRow{RowKind::removable, "removal", 3},
};

const KindOfRow* kind_of(char byte) {
  const auto found = std::ranges::find(kKinds, static_cast<RowKind>(byte), &KindOfRow::kind);
  return found == kKinds.end() ? nullptr : &*found;
}

/// The saga that a row is about; nullopt: the row is malformed.
std::optional<SagaId> owner_of(RowKind kind, std::string_view key, std::string_view value) {
  if (kind == RowKind::submission_key) {
    const auto read = read_key_value(value);
    return read ? std::optional(read->saga) : std::nullopt;
  }
  if (key.size() < SagaId::kBytesSize) return std::nullopt;
  ByteReader id(key.substr(key.size() - SagaId::kBytesSize));
  SagaId found = id.id();
  if (kind == RowKind::listed || kind == RowKind::business_key || kind == RowKind::cause_saga) {
    found = {.placement = ~found.placement, .serial = ~found.serial};
  }
  return found;
}

/// What a row says, for people.
std::string text_of(const KindOfRow& kind, std::string_view key, std::string_view value) {
  ByteReader rest(key.substr(kKindSize));
  if (kind.kind == RowKind::listed) {
    const auto summary = wire::decode_summary(value);
    if (!summary) return fmt::format("a list row that is damaged ({})", summary.error().message);
    std::string text = fmt::format(
        "a list row with status={} waiting={} definition={} version={} business_key={} "
        "started_at={} ended_at={}",
        name(static_cast<SagaStatus>(key[kKindSize])), summary->waiting, summary->definition,
        summary->version, summary->business_key, to_unix_ms(summary->started_at),
        to_unix_ms(summary->ended_at));
    if (summary->failure) text += fmt::format(" cause={}", summary->failure->cause.text());
    return text;
  }
  if (kind.kind == RowKind::timer) return fmt::format("a timer at {}", to_unix_ms(rest.instant()));
  if (kind.kind == RowKind::ended) {
    return fmt::format("an end row at {}", to_unix_ms(rest.instant()));
  }
  if (kind.kind == RowKind::submission_key) {
    const auto read = read_key_value(value);
    if (!read) return "an idempotency key's row that is damaged";
    return fmt::format("an idempotency key's row for saga {} with body {:016x}", read->saga.text(),
                       read->body_hash);
  }
  return fmt::format("a row `{}`", kind.name);
}

class Checker {
 public:
  Checker(const CheckedDatabase& database, const CheckOptions& options)
      : database_(database),
        options_(options),
        health_(Logger()),
        reader_(database.db, database.families, database.directory, health_),
        expected_(reader_, database.families, database.at, options) {}

  Result<CheckReport> run() {
    if (auto format = read_format(); !format) return std::unexpected(format.error());
    restore_names();
    if (auto done = check_histories(); !done) return std::unexpected(done.error());
    for (const KindOfRow& kind : kKinds) {
      if (kind.since > format_) continue;
      if (auto done = check_rows_of(kind); !done) return std::unexpected(done.error());
    }
    // What a saga that cannot be folded is counted as, nobody can tell.
    if (format_ >= kFormatWithoutRemovable && broken_.empty()) {
      if (auto done = check_counts(); !done) return std::unexpected(done.error());
      if (auto done = check_causes(); !done) return std::unexpected(done.error());
    }
    return std::move(report_);
  }

 private:
  void wrong(std::optional<SagaId> saga, std::string what, std::string should) {
    ++report_.wrong;
    if (report_.findings.size() == kFindingsMax) return;
    report_.findings.push_back(
        {.saga = saga, .what = std::move(what), .expected = std::move(should)});
  }

  Result<void> read_format() {
    const auto value = reader_.get(database_.at, Bytestring().begin(RowKind::format).view());
    if (!value) return std::unexpected(value.error());
    format_ = *value ? ByteReader(**value).number64() : 0;
    if (format_ >= kFormatWithoutFailures && format_ <= kFormatVersion) return {};
    return fail(Errc::failed_precondition, "{} has format version {}, this build checks {} to {}",
                database_.directory, format_, kFormatWithoutFailures, kFormatVersion);
  }

  std::unique_ptr<Rows> rows_of(RowKind kind) const {
    return reader_.rows(Bytestring().begin(kind).view(), database_.at);
  }
  [[nodiscard]] Result<void> whole(const Rows& rows, std::string_view what) const {
    if (rows.status().ok()) return {};
    return std::unexpected(reader_.failed(what, rows.status()));
  }

  void restore_names() {
    const auto names = rows_of(RowKind::definition);
    for (; names->valid(); names->next()) {
      const auto number = static_cast<SagaCounts::Number>(ByteReader(names->key()).number(2));
      if (number >= kDefinitionsCountedMax) continue;
      names_.resize(std::max<std::size_t>(names_.size(), number + 1U));
      names_[number] = names->value();
      expected_.tally().counts.restore_name(number, std::string(names->value()));
    }
  }

  Result<void> check_histories() {
    rocksdb::ReadOptions options = database_.at;
    options.total_order_seek = true;
    Rows records(database_.db, database_.families.events, "", options);
    History history;
    bool begun = false;
    for (; records.valid(); records.next()) {
      ByteReader key(records.key());
      const SagaId id = key.id();
      const std::uint64_t first_seq = key.number64();
      if (!key.sound()) {
        wrong(std::nullopt, "a record whose key is too short", "saga id and sequence number");
        continue;
      }
      if (!begun || id != history.state.id) {
        if (begun) {
          if (auto done = check_saga(history); !done) return done;
        }
        history = History{};
        history.state.id = id;
        begun = true;
      }
      ++report_.records;
      if (history.broken.empty()) fold(history, first_seq, records.value());
    }
    if (auto read = whole(records, "the histories"); !read) return read;
    return begun ? check_saga(history) : Result<void>{};
  }

  Result<void> check_saga(const History& history) {
    ++report_.sagas;
    const SagaId id = history.state.id;
    if (options_.progress && report_.sagas % kSagasPerReport == 0) {
      options_.progress(report_.sagas);
    }
    if (options_.stopped && options_.stopped()) {
      return fail(Errc::canceled, "the check was stopped; nothing is known of the rest");
    }
    if (!history.broken.empty()) {
      broken_.insert(id);
      wrong(id, history.broken, "an unbroken history of sound records");
      return {};
    }
    auto rows = expected_.rows(history.state, true);
    if (!rows) return std::unexpected(rows.error());
    if (!history.state.terminal && !history.state.idempotency_key.empty() && !rows->has_key) {
      wrong(id, "no row of its idempotency key", "one that leads to it, since it has not ended");
    }
    for (const auto& [key, value] : rows->rows) {
      const KindOfRow* kind = kind_of(key.front());
      if (kind == nullptr || kind->since > format_) continue;
      const auto stored = reader_.get(database_.at, key);
      if (!stored) return std::unexpected(stored.error());
      if (!*stored) {
        wrong(id, fmt::format("no row `{}`", kind->name), text_of(*kind, key, value));
        continue;
      }
      ++found_[kind->kind];
      if (**stored != value) wrong(id, text_of(*kind, key, **stored), text_of(*kind, key, value));
    }
    return {};
  }

  /// The other way: rows that no history asks for. Looked for one by one only where there are more
  /// rows than were found from the histories.
  Result<void> check_rows_of(const KindOfRow& kind) {
    std::uint64_t count = 0;
    const auto rows = rows_of(kind.kind);
    for (; rows->valid(); rows->next()) ++count;
    if (auto read = whole(*rows, kind.name); !read) return read;
    report_.rows += count;
    if (count == found_[kind.kind]) return {};
    const auto again = rows_of(kind.kind);
    for (; again->valid(); again->next()) {
      if (auto done = check_row(kind, again->key(), again->value()); !done) return done;
    }
    return whole(*again, kind.name);
  }

  Result<void> check_row(const KindOfRow& kind, std::string_view rest, std::string_view value) {
    const std::string key = Bytestring().begin(kind.kind).bytes(rest).view();
    const auto owner = owner_of(kind.kind, key, value);
    if (!owner) {
      wrong(std::nullopt, fmt::format("a row `{}` that is malformed", kind.name), "none");
      return {};
    }
    if (broken_.contains(*owner)) return {};
    History history;
    history.state.id = *owner;
    rocksdb::ReadOptions options = database_.at;
    options.prefix_same_as_start = true;
    Rows records(database_.db, database_.families.events, Bytestring().id(*owner).view(), options);
    for (; records.valid(); records.next()) {
      fold(history, ByteReader(records.key()).number64(), records.value());
    }
    if (auto read = whole(records, "a history"); !read) return read;
    if (history.state.seq == 0) {
      wrong(*owner, text_of(kind, key, value), "none: there is no such saga");
      return {};
    }
    const auto rows = expected_.rows(history.state, false);
    if (!rows) return std::unexpected(rows.error());
    if (!rows->rows.contains(key)) {
      wrong(*owner, text_of(kind, key, value),
            fmt::format("none: its history says status={}", name(history.state.status)));
    }
    return {};
  }

  Result<void> check_counts() {
    using Place = std::pair<std::uint64_t, SagaCounts::Number>;  // status, definition
    std::map<Place, std::uint64_t> should;
    for (const SagaCounts::Change& change : expected_.tally().counts.changes()) {
      for (std::size_t i = 0; i < change.after.size(); ++i) {
        if (change.after.at(i) != 0) should[{i + 1, change.number}] = change.after.at(i);
      }
    }
    const auto tell = [this](const Place& place, std::uint64_t stored, std::uint64_t counted) {
      const std::string definition = place.second < names_.size() ? names_[place.second] : "others";
      wrong(std::nullopt,
            fmt::format("a count of {} sagas of {} with status={}", stored, definition,
                        name(static_cast<SagaStatus>(place.first))),
            fmt::format("{}", counted));
    };
    const auto rows = rows_of(RowKind::counted);
    for (; rows->valid(); rows->next()) {
      ++report_.rows;
      ByteReader key(rows->key());
      const std::uint64_t status = key.number(1);
      const Place place{status, static_cast<SagaCounts::Number>(key.number(2))};
      const std::uint64_t stored = ByteReader(rows->value()).varint();
      const auto found = should.find(place);
      const std::uint64_t counted = found == should.end() ? 0 : found->second;
      if (stored != counted) tell(place, stored, counted);
      if (found != should.end()) should.erase(found);
    }
    for (const auto& [place, counted] : should) tell(place, 0, counted);
    return whole(*rows, "counts");
  }

  Result<void> check_causes() {
    std::map<CauseKey, std::int64_t> should;
    for (const auto& [key, change] : expected_.tally().causes.changes()) should[key] = change.more;
    const auto tell = [this](const CauseKey& key, std::uint64_t stored, std::int64_t counted) {
      wrong(std::nullopt,
            fmt::format("a count of {} sagas of cause {} with status={}", stored, key.cause.text(),
                        name(key.status)),
            fmt::format("{}", counted));
    };
    const auto rows = rows_of(RowKind::cause);
    for (; rows->valid(); rows->next()) {
      ++report_.rows;
      ByteReader reader(rows->key());
      CauseKey key{.status = static_cast<SagaStatus>(reader.number(1))};
      key.cause = CauseId{reader.number64()};
      const std::uint64_t stored = ByteReader(rows->value()).number64();
      const auto found = should.find(key);
      const std::int64_t counted = found == should.end() ? 0 : found->second;
      if (static_cast<std::int64_t>(stored) != counted) tell(key, stored, counted);
      if (found != should.end()) should.erase(found);
    }
    for (const auto& [key, counted] : should) {
      if (counted != 0) tell(key, 0, counted);
    }
    return whole(*rows, "causes");
  }

  const CheckedDatabase& database_;
  const CheckOptions& options_;
  Health health_;  // nobody's: a check ends nothing
  RowReader reader_;
  ExpectedRows expected_;
  std::uint64_t format_ = 0;
  std::vector<std::string> names_;          // of definitions, by number
  std::map<RowKind, std::uint64_t> found_;  // rows that the histories asked for, and that are there
  std::unordered_set<SagaId> broken_;       // their rows cannot be told
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check_rows(const CheckedDatabase& database, const CheckOptions& options) {
  return Checker(database, options).run();
}

}  // namespace skald::rocks
