#include "engine/store/list_page.h"

#include <algorithm>
#include <charconv>

namespace skald {
namespace {

// Opaque to clients: the version of the token's form, the start in hexadecimal, the id's text.
constexpr char kTokenVersion = 'a';
constexpr std::size_t kTokenTimeSize = 16;
constexpr std::size_t kTokenSize = 1 + kTokenTimeSize + SagaId::kTextSize;

std::optional<ListPosition> parse_token(std::string_view token) {
  if (token.size() != kTokenSize || token.front() != kTokenVersion) return std::nullopt;
  const std::string_view time = token.substr(1, kTokenTimeSize);
  std::uint64_t ms = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), ms, 16);
  const auto id = SagaId::parse(token.substr(1 + kTokenTimeSize));
  if (error != std::errc{} || end != time.data() + time.size() || !id) return std::nullopt;
  return ListPosition{.started_at = from_unix_ms(static_cast<std::int64_t>(ms)), .id = *id};
}

}  // namespace

std::string page_token(const ListPosition& last) {
  return fmt::format("{}{:016x}{}", kTokenVersion,
                     static_cast<std::uint64_t>(to_unix_ms(last.started_at)), last.id.text());
}

Result<std::optional<ListPosition>> check_query(const ListQuery& query) {
  if (query.limit < 1 || query.limit > kListPageMax) {
    return fail(Errc::invalid_argument, "limit={} is not within 1..{}", query.limit, kListPageMax);
  }
  if (query.page_token.empty()) return std::nullopt;
  const auto position = parse_token(query.page_token);
  if (!position) {
    return fail(Errc::invalid_argument,
                "page_token is not one that a list gave; begin again without it");
  }
  return position;
}

bool wants_status(const ListQuery& query, SagaStatus status) {
  return query.statuses.empty() ||
         std::ranges::find(query.statuses, status) != query.statuses.end();
}

bool matches(const ListQuery& query, const SagaSummary& summary) {
  return wants_status(query, summary.status) &&
         (query.definition.empty() || query.definition == summary.definition) &&
         (query.business_key.empty() || query.business_key == summary.business_key) &&
         (!query.started_after || summary.started_at >= *query.started_after) &&
         (!query.started_before || summary.started_at < *query.started_before);
}

bool PageBuilder::pass(const ListPosition& position) {
  if (looked_at_ == kListScanMax) {
    page_.next_page_token = page_token(last_);
    return false;
  }
  ++looked_at_;
  last_ = position;
  return true;
}

bool PageBuilder::add(const ListPosition& position, const SagaSummary& summary) {
  if (!matches(query_, summary)) return pass(position);
  if (page_.sagas.size() == query_.limit) {
    const ListedSaga& shown = page_.sagas.back();
    page_.next_page_token = page_token({.started_at = shown.summary.started_at, .id = shown.id});
    return false;
  }
  if (!pass(position)) return false;
  page_.sagas.push_back({.id = position.id, .summary = summary});
  return true;
}

}  // namespace skald
