#include "tests/storage/told.h"

#include <set>

#include "engine/base/hash.h"

namespace skald::storage {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return out;
}

constexpr std::size_t kEnough = 1'000'000;

class Telling {
 public:
  Telling(Store& store, Detail detail) : store_(store), detail_(detail) {}

  Result<void> sagas(std::span<const SagaId> known) {
    std::set<SagaId> listed;
    ListQuery query{.limit = kListPageMax};
    do {
      const auto page = store_.list(query);
      if (!page) return std::unexpected(page.error());
      for (const ListedSaga& saga : page->sagas) {
        listed.insert(saga.id);
        if (auto done = one(saga.id, saga.summary); !done) return done;
      }
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    for (const SagaId& id : known) {
      if (listed.contains(id)) continue;
      fmt::format_to(end(), "not listed: saga {}\n", id.text());
      if (auto done = records(id); !done) return done;
    }
    return {};
  }

  Result<void> rows() {
    for (const std::string& key : business_keys_) {
      const auto ids = store_.find_business_key(key, kEnough);
      if (!ids) return std::unexpected(ids.error());
      fmt::format_to(end(), "business_key {}:", key);
      for (const SagaId& id : *ids) fmt::format_to(end(), " {}", id.text());
      text_ += "\n";
    }
    const auto timers = store_.timers({}, kNever, {}, kEnough);
    if (!timers) return std::unexpected(timers.error());
    for (const TimerRow& row : *timers) {
      fmt::format_to(end(), "timer {} saga {}\n", to_unix_ms(row.due), row.id.text());
    }
    const auto active = store_.active({}, {}, kEnough);
    if (!active) return std::unexpected(active.error());
    for (const SagaId& id : *active) fmt::format_to(end(), "active {}\n", id.text());
    const auto ended = store_.expired_keys({}, kNever, kEnough);
    if (!ended) return std::unexpected(ended.error());
    for (const KeyRow& row : *ended) {
      fmt::format_to(end(), "ended key {} saga {}\n", row.key, row.saga.text());
    }
    const auto counts = store_.count_by_status();
    if (!counts) return std::unexpected(counts.error());
    for (const auto& [status, count] : *counts) {
      fmt::format_to(end(), "count {} {}\n", name(status), count);
    }
    return {};
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> end() { return std::back_inserter(text_); }

  Result<void> one(const SagaId& id, const SagaSummary& summary) {
    fmt::format_to(end(), "saga {} {}{} {} v{} started={}", id.text(), name(summary.status),
                   summary.waiting ? " waiting" : "", summary.definition, summary.version,
                   to_unix_ms(summary.started_at));
    if (is_terminal(summary.status))
      fmt::format_to(end(), " ended={}", to_unix_ms(summary.ended_at));
    if (!summary.business_key.empty()) {
      business_keys_.insert(summary.business_key);
      fmt::format_to(end(), " business_key={}", summary.business_key);
    }
    text_ += "\n";
    if (!summary.idempotency_key.empty()) {
      const auto row = store_.find_key(summary.idempotency_key);
      if (!row) return std::unexpected(row.error());
      fmt::format_to(end(), "  key {} -> ", summary.idempotency_key);
      if (*row) {
        fmt::format_to(end(), "saga {} body {:016x}\n", (*row)->saga.text(), (*row)->body_hash);
      } else {
        text_ += "removed\n";
      }
    }
    return records(id);
  }

  Result<void> records(const SagaId& id) {
    const auto saga = store_.load(id);
    if (!saga) return std::unexpected(saga.error());
    if (!*saga) {
      text_ += "  no records\n";
      return {};
    }
    for (const StoredSaga::Record& record : (*saga)->records) {
      if (detail_ == Detail::bytes) {
        fmt::format_to(end(), "  {}: {}\n", record.first_seq, hex(record.bytes));
      } else {
        fmt::format_to(end(), "  {}: {:08x}\n", record.first_seq, crc32c(record.bytes));
      }
    }
    return {};
  }

  Store& store_;
  Detail detail_;
  std::string text_;
  std::set<std::string> business_keys_;
};

}  // namespace

Result<std::string> tell(Store& store, Detail detail, std::span<const SagaId> known) {
  Telling telling(store, detail);
  if (auto done = telling.sagas(known); !done) return std::unexpected(done.error());
  if (auto done = telling.rows(); !done) return std::unexpected(done.error());
  return telling.take();
}

}  // namespace skald::storage
