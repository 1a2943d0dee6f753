#include "engine/store/list_page.h"

#include <algorithm>
#include <charconv>

namespace skald {
namespace {

// Opaque to clients: the version of the token's form, which names its order, the time in
// hexadecimal, the id's text.
constexpr std::string_view kTokenVersions = "abc";  // of newest, oldest, longest_stuck
constexpr std::size_t kTokenTimeSize = 16;
constexpr std::size_t kTokenSize = 1 + kTokenTimeSize + SagaId::kTextSize;

char token_version(ListOrder order) { return kTokenVersions[static_cast<std::size_t>(order) - 1]; }

Result<std::optional<ListPosition>> parse_token(std::string_view token, ListOrder order) {
  if (token.empty()) return std::nullopt;
  const auto foreign = [] {
    return fail(Errc::invalid_argument,
                "page_token is not one that a list of this order gave; begin again without it");
  };
  if (token.size() != kTokenSize || token.front() != token_version(order)) return foreign();
  const std::string_view time = token.substr(1, kTokenTimeSize);
  std::uint64_t ms = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), ms, 16);
  const auto id = SagaId::parse(token.substr(1 + kTokenTimeSize));
  if (error != std::errc{} || end != time.data() + time.size() || !id) return foreign();
  return ListPosition{.started_at = from_unix_ms(static_cast<std::int64_t>(ms)), .id = *id};
}

filter::Filter compared(filter::Field field, filter::Compare compare, Instant value) {
  return {.root = filter::Node{
              filter::Comparison{.field = field, .compare = compare, .values = {value}}}};
}

}  // namespace

Instant stuck_since(const SagaSummary& summary) {
  return summary.failure ? summary.since : summary.started_at;
}

std::string page_token(const ListPosition& last, ListOrder order) {
  return fmt::format("{}{:016x}{}", token_version(order),
                     static_cast<std::uint64_t>(to_unix_ms(last.started_at)), last.id.text());
}

Result<std::optional<ListPosition>> check_query(const ListQuery& query) {
  if (query.limit < 1 || query.limit > kListPageMax) {
    return fail(Errc::invalid_argument, "limit={} is not within 1..{}", query.limit, kListPageMax);
  }
  return parse_token(query.page_token, query.order);
}

Result<std::optional<ListPosition>> check_count(const CountQuery& query) {
  return parse_token(query.page_token, ListOrder::newest);
}

filter::Filter whole_filter(const ListQuery& query) {
  using filter::both;
  using filter::Field;
  filter::Filter whole = query.filter;
  if (!query.statuses.empty()) {
    std::vector<filter::Value> statuses(query.statuses.begin(), query.statuses.end());
    whole = both(std::move(whole), filter::where_in(Field::status, std::move(statuses)));
  }
  if (!query.definition.empty()) {
    whole = both(std::move(whole), filter::where(Field::definition, query.definition));
  }
  if (!query.business_key.empty()) {
    whole = both(std::move(whole), filter::where(Field::business_key, query.business_key));
  }
  if (query.started_after) {
    whole = both(std::move(whole),
                 compared(Field::started, filter::Compare::at_least, *query.started_after));
  }
  if (query.started_before) {
    whole = both(std::move(whole),
                 compared(Field::started, filter::Compare::less, *query.started_before));
  }
  if (query.order == ListOrder::longest_stuck) {
    whole = both(std::move(whole), filter::where(Field::status, SagaStatus::stuck));
  }
  return whole;
}

bool PageBuilder::pass(const ListPosition& position, std::size_t cost) {
  if (spent_ + cost > kListScanMax) {
    page_.next_page_token = page_token(last_, query_.order);
    return false;
  }
  spent_ += cost;
  last_ = position;
  return true;
}

bool PageBuilder::add(const ListPosition& position, const SagaSummary& summary, std::size_t cost) {
  const auto subject = filter::Subject::saga(position.id, summary, query_.now);
  if (evaluate(filter_, subject) != filter::Verdict::yes) return pass(position, cost);
  if (page_.sagas.size() == query_.limit) {
    page_.next_page_token = page_token(shown_, query_.order);
    return false;
  }
  if (!pass(position, cost)) return false;
  shown_ = position;
  page_.sagas.push_back({.id = position.id, .summary = summary});
  return true;
}

}  // namespace skald
