// The list's order, pages, tokens and filters, as every store gives them. Finding the rows is the
// store's business.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/filter/evaluate.h"
#include "engine/store/store.h"

namespace skald {

/// What one call of list() or count() spends on looking, at most: about 50 ms. A rarer filter gives
/// a shorter page and a token.
inline constexpr std::size_t kListScanMax = 10'000;
inline constexpr std::size_t kRowCost = 1;     // of a row that holds what is looked for
inline constexpr std::size_t kLookupCost = 4;  // of a row that only names another

/// A saga's place in the list. The greatest comes first in the newest order, the least in the
/// others.
struct ListPosition {
  Instant started_at{};  // in longest_stuck: stuck since
  SagaId id;
  auto operator<=>(const ListPosition&) const = default;
};

/// Since when a stuck saga waits for a person. Rows of before failures were kept know their start
/// only.
[[nodiscard]] Instant stuck_since(const SagaSummary& summary);

[[nodiscard]] std::string page_token(const ListPosition& last, ListOrder order = ListOrder::newest);

/// Where the page begins: behind this position; nullopt: at the first.
/// Errors: invalid_argument (limit out of 1..kListPageMax; a token that no list of this order
/// gave).
[[nodiscard]] Result<std::optional<ListPosition>> check_query(const ListQuery& query);
[[nodiscard]] Result<std::optional<ListPosition>> check_count(const CountQuery& query);

/// Everything that the query asks of a saga, as one filter.
[[nodiscard]] filter::Filter whole_filter(const ListQuery& query);

/// Collects one page row by row.
class PageBuilder {
 public:
  /// Pre: `filter` is the query's whole_filter(); both outlive the builder.
  PageBuilder(const ListQuery& query, const filter::Filter& filter)
      : query_(query), filter_(filter) {}

  /// Pre: positions come in the query's order. False: the page is done, and rows may follow.
  [[nodiscard]] bool add(const ListPosition& position, const SagaSummary& summary,
                         std::size_t cost = kRowCost);
  /// Counts a row that is known not to match. False: as add().
  [[nodiscard]] bool pass(const ListPosition& position, std::size_t cost = kRowCost);
  [[nodiscard]] ListPage take() { return std::move(page_); }

 private:
  const ListQuery& query_;
  const filter::Filter& filter_;
  ListPage page_;
  std::size_t spent_ = 0;
  ListPosition last_;
  ListPosition shown_;
};

}  // namespace skald
