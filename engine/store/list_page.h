// The list's order, pages and filters, as every store gives them: newest first by (started_at, id).
// Finding the rows is the store's business.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/store/store.h"

namespace skald {

/// Rows that one call of list() looks at, at most. A rarer filter gives a shorter page and a token.
inline constexpr std::size_t kListScanMax = 100'000;

/// A saga's place in the list. The greatest comes first.
struct ListPosition {
  Instant started_at{};
  SagaId id;
  auto operator<=>(const ListPosition&) const = default;
};

[[nodiscard]] std::string page_token(const ListPosition& last);

/// Where the page begins: after this position; nullopt: at the newest.
/// Errors: invalid_argument (limit out of 1..kListPageMax; a token that no list gave).
[[nodiscard]] Result<std::optional<ListPosition>> check_query(const ListQuery& query);

[[nodiscard]] bool wants_status(const ListQuery& query, SagaStatus status);

/// Whether the saga passes every filter of the query.
[[nodiscard]] bool matches(const ListQuery& query, const SagaSummary& summary);

/// Collects one page row by row.
class PageBuilder {
 public:
  explicit PageBuilder(const ListQuery& query) : query_(query) {}

  /// Pre: positions come in list order. False: the page is done, and rows may follow.
  [[nodiscard]] bool add(const ListPosition& position, const SagaSummary& summary);
  /// Counts a row that is known not to match. False: as add().
  [[nodiscard]] bool pass(const ListPosition& position);
  [[nodiscard]] ListPage take() { return std::move(page_); }

 private:
  const ListQuery& query_;
  ListPage page_;
  std::size_t looked_at_ = 0;
  ListPosition last_;
};

}  // namespace skald
