#include "engine/store/rocks_search.h"

#include <algorithm>

namespace skald::rocks {
namespace {

using filter::Subject;
using filter::Verdict;

constexpr std::size_t kSourcesMax = 64;            // streams merged at once
constexpr std::size_t kCausesPlannedMax = 1'000;   // looked at to find those streams
constexpr std::size_t kCausesGroupedMax = 10'000;  // rows of causes that groups() reads

std::string status_prefix(RowKind kind, SagaStatus status) {
  return Bytestring().begin(kind).byte(static_cast<std::uint8_t>(status)).view();
}

std::string cause_prefix(const CauseKey& key) {
  return Bytestring()
      .begin(RowKind::cause_saga)
      .byte(static_cast<std::uint8_t>(key.status))
      .number64(key.cause.value)
      .view();
}

std::string business_prefix(std::string_view business_key) {
  return Bytestring()
      .begin(RowKind::business_key)
      .number16(static_cast<std::uint16_t>(business_key.size()))
      .bytes(business_key)
      .view();
}

/// The list's key of the first or last position at an instant.
std::string edge(Instant started_at, SagaId id) {
  return Bytestring().newest_first({.started_at = started_at, .id = id}).view();
}

GroupMember member(const ListPosition& position) {
  return {.started_at = position.started_at, .id = position.id};
}

}  // namespace

Search::Search(const RowReader& reader, const std::vector<std::string>& names,
               const filter::Filter& filter, Instant now)
    : reader_(reader),
      names_(names),
      filter_(filter),
      now_(now),
      narrow_(filter::narrowing(filter, now)),
      snapshot_(reader.db()) {}

bool Search::passes(const SagaId& id, const SagaSummary& summary) const {
  return evaluate(filter_, Subject::saga(id, summary, now_)) == Verdict::yes;
}

Result<Search::Share> Search::share_of(SagaStatus status) const {
  Share share;
  const auto rows = reader_.rows(status_prefix(RowKind::counted, status), snapshot_.options());
  for (; rows->valid(); rows->next()) {
    const std::uint64_t number = ByteReader(rows->key()).number(2);
    const std::uint64_t count = ByteReader(rows->value()).varint();
    const std::string* name = number < names_.size() ? &names_[number] : nullptr;
    switch (evaluate(filter_, Subject::group(status, name))) {
      case Verdict::yes:
        share.yes += count;
        break;
      case Verdict::maybe:
        share.maybe += count;
        break;
      case Verdict::no:
        share.no += count;
        break;
    }
  }
  if (!rows->status().ok()) return std::unexpected(reader_.failed("counts", rows->status()));
  return share;
}

Result<Search::Causes> Search::causes_of(SagaStatus status, std::size_t rows_max) const {
  Causes found;
  std::size_t looked_at = 0;
  const auto rows = reader_.rows(status_prefix(RowKind::cause, status), snapshot_.options());
  for (; rows->valid(); rows->next()) {
    if (++looked_at > rows_max) {
      found.complete = false;
      break;
    }
    const CauseId cause{.value = ByteReader(rows->key()).number64()};
    auto value = read_cause_value(rows->value());
    if (!value) return std::unexpected(reader_.damaged("the row of cause " + cause.text()));
    const wire::StoredCause& of = value->cause;
    const auto subject = Subject::cause(status, of.failure ? &of.definition : nullptr,
                                        of.failure ? &*of.failure : nullptr);
    const Verdict verdict = evaluate(filter_, subject);
    if (verdict == Verdict::no) continue;
    found.wanted.push_back({.key = {.status = status, .cause = cause},
                            .value = std::move(*value),
                            .verdict = verdict});
  }
  if (!rows->status().ok()) return std::unexpected(reader_.failed("causes", rows->status()));
  return found;
}

Result<void> Search::plan_status(SagaStatus status, const Share& share, Purpose purpose,
                                 Plan& plan) {
  if (share.yes + share.maybe == 0) return {};
  if (share.maybe == 0 && purpose == Purpose::count) {
    plan.counted += share.yes;
    return {};
  }
  const Source all{.prefix = status_prefix(RowKind::listed, status), .status = status};
  if (share.maybe == 0 || !has_cause_row(status)) {
    plan.sources.push_back(all);
    return {};
  }
  const auto causes = causes_of(status, kCausesPlannedMax);
  if (!causes) return std::unexpected(causes.error());
  std::vector<Source> sources;
  std::uint64_t counted = 0;
  std::uint64_t to_look_up = 0;
  for (const Cause& cause : causes->wanted) {
    if (cause.verdict == Verdict::yes && purpose == Purpose::count) {
      counted += cause.value.count;
      continue;
    }
    to_look_up += cause.value.count;
    sources.push_back(
        {.prefix = cause_prefix(cause.key), .status = status, .holds_summaries = false});
  }
  const std::uint64_t total = share.yes + share.maybe + share.no;
  const bool narrower = to_look_up * kLookupCost < total * kRowCost || sources.empty();
  if (!causes->complete || sources.size() > kSourcesMax || !narrower) {
    plan.sources.push_back(all);
    return {};
  }
  plan.counted += counted;
  std::ranges::move(sources, std::back_inserter(plan.sources));
  return {};
}

Result<Search::Plan> Search::plan(Purpose purpose) {
  Plan plan;
  if (narrow_.business_key) {
    if (narrow_.business_key->size() > kBusinessKeyBytesMax) return plan;
    plan.sources.push_back({.prefix = business_prefix(*narrow_.business_key),
                            .status = std::nullopt,
                            .holds_summaries = false});
    return plan;
  }
  for (std::uint8_t i = 1; i <= kSagaStatusCount; ++i) {
    const auto status = static_cast<SagaStatus>(i);
    const auto share = share_of(status);
    if (!share) return std::unexpected(share.error());
    if (auto done = plan_status(status, *share, purpose, plan); !done) {
      return std::unexpected(done.error());
    }
  }
  return plan;
}

// Moves a stream in list order to where the page begins: behind `after`, or at the first start
// allowed.
void Search::begin(Rows& rows, const std::optional<ListPosition>& after) const {
  const bool forward = rows.direction() == Direction::forward;
  constexpr SagaId kGreatest{.placement = ~0ULL, .serial = ~0ULL};
  const std::string first =
      forward ? edge(narrow_.started_until, kGreatest) : edge(narrow_.started_from, {});
  if (!after) return rows.seek(first);
  const std::string behind = edge(after->started_at, after->id);
  if (forward ? behind >= first : behind <= first) {
    rows.seek_behind(behind);
  } else {
    rows.seek(first);
  }
}

bool Search::is_past(const ListPosition& position, Direction direction) const {
  return direction == Direction::forward ? position.started_at < narrow_.started_from
                                         : position.started_at > narrow_.started_until;
}

template <class Take>
Result<void> Search::merge(const std::vector<Source>& sources, ListOrder order,
                           const std::optional<ListPosition>& after, Take&& take) {
  struct Stream {
    const Source* source = nullptr;
    std::unique_ptr<Rows> rows;
  };
  const Direction direction = order == ListOrder::oldest ? Direction::backward : Direction::forward;
  const auto comes_later = [direction](const Stream& a, const Stream& b) {
    return direction == Direction::forward ? a.rows->key() > b.rows->key()
                                           : a.rows->key() < b.rows->key();
  };
  std::vector<Stream> heap;
  for (const Source& source : sources) {
    Stream stream{.source = &source,
                  .rows = reader_.rows(source.prefix, snapshot_.options(), direction)};
    begin(*stream.rows, after);
    if (!stream.rows->status().ok()) {
      return std::unexpected(reader_.failed("the list", stream.rows->status()));
    }
    if (stream.rows->valid()) heap.push_back(std::move(stream));
  }
  std::ranges::make_heap(heap, comes_later);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, comes_later);
    Stream& next = heap.back();
    const ListPosition position = ByteReader(next.rows->key()).newest_first();
    if (is_past(position, direction)) break;
    auto summary = [&]() -> Result<std::optional<SagaSummary>> {
      if (next.source->holds_summaries) return reader_.decode(position, next.rows->value());
      if (!next.source->status) return reader_.summary(snapshot_.options(), position);
      return reader_.summary(snapshot_.options(), *next.source->status, position);
    }();
    if (!summary) return std::unexpected(summary.error());
    const std::size_t cost = next.source->holds_summaries ? kRowCost : kLookupCost;
    if (!take(position, *summary ? &**summary : nullptr, cost)) break;
    next.rows->next();
    if (!next.rows->status().ok()) {
      return std::unexpected(reader_.failed("the list", next.rows->status()));
    }
    if (next.rows->valid()) {
      std::ranges::push_heap(heap, comes_later);
    } else {
      heap.pop_back();
    }
  }
  return {};
}

Result<std::optional<ListedSaga>> Search::named(const SagaId& id) const {
  const auto started_at = reader_.started_at(snapshot_.options(), id);
  if (!started_at) return std::unexpected(started_at.error());
  if (!*started_at) return std::nullopt;
  auto summary = reader_.summary(snapshot_.options(), {.started_at = **started_at, .id = id});
  if (!summary) return std::unexpected(summary.error());
  if (!*summary || !passes(id, **summary)) return std::nullopt;
  return ListedSaga{.id = id, .summary = std::move(**summary)};
}

Result<ListPage> Search::list(const ListQuery& query, const std::optional<ListPosition>& after) {
  if (narrow_.id) {
    auto one = named(*narrow_.id);
    if (!one) return std::unexpected(one.error());
    ListPage page;
    if (*one && !after) page.sagas.push_back(std::move(**one));
    return page;
  }
  if (query.order == ListOrder::longest_stuck) return list_longest_stuck(query, after);
  const auto planned = plan(Purpose::list);
  if (!planned) return std::unexpected(planned.error());
  PageBuilder page(query, filter_);
  const auto take = [&page](const ListPosition& position, const SagaSummary* summary,
                            std::size_t cost) {
    return summary == nullptr ? page.pass(position, cost) : page.add(position, *summary, cost);
  };
  if (auto done = merge(planned->sources, query.order, after, take); !done) {
    return std::unexpected(done.error());
  }
  return page.take();
}

Result<ListPage> Search::list_longest_stuck(const ListQuery& query,
                                            const std::optional<ListPosition>& after) {
  PageBuilder page(query, filter_);
  const auto rows =
      reader_.rows(Bytestring().begin(RowKind::stuck_since).view(), snapshot_.options());
  if (after) rows->seek_behind(Bytestring().instant(after->started_at).id(after->id).view());
  for (; rows->valid(); rows->next()) {
    ByteReader key(rows->key());
    const Instant since = key.instant();
    const SagaId id = key.id();
    const Instant started_at = ByteReader(rows->value()).instant();
    const auto summary = reader_.summary(snapshot_.options(), SagaStatus::stuck,
                                         {.started_at = started_at, .id = id});
    if (!summary) return std::unexpected(summary.error());
    const ListPosition position{.started_at = since, .id = id};
    const bool more =
        *summary ? page.add(position, **summary, kLookupCost) : page.pass(position, kLookupCost);
    if (!more) break;
  }
  if (!rows->status().ok()) return std::unexpected(reader_.failed("the list", rows->status()));
  return page.take();
}

Result<CountPage> Search::count(const std::optional<ListPosition>& after) {
  CountPage page;
  if (narrow_.id) {
    const auto one = named(*narrow_.id);
    if (!one) return std::unexpected(one.error());
    page.count = *one && !after ? 1 : 0;
    return page;
  }
  const auto planned = plan(Purpose::count);
  if (!planned) return std::unexpected(planned.error());
  if (!after) page.count = planned->counted;
  std::size_t spent = 0;
  ListPosition last;
  const auto take = [&](const ListPosition& position, const SagaSummary* summary,
                        std::size_t cost) {
    if (spent + cost > kListScanMax) {
      page.next_page_token = page_token(last);
      return false;
    }
    spent += cost;
    last = position;
    if (summary != nullptr && passes(position.id, *summary)) ++page.count;
    return true;
  };
  if (auto done = merge(planned->sources, ListOrder::newest, after, take); !done) {
    return std::unexpected(done.error());
  }
  return page;
}

Result<FailureGroups> Search::groups(GroupBy by) {
  GroupGatherer gatherer(by);
  std::size_t budget = kListScanMax;
  for (std::uint8_t i = 1; i <= kSagaStatusCount; ++i) {
    const auto status = static_cast<SagaStatus>(i);
    if (!has_cause_row(status)) continue;
    if (evaluate(filter_, Subject::group(status, nullptr)) == Verdict::no) continue;
    const auto causes = causes_of(status, kCausesGroupedMax);
    if (!causes) return std::unexpected(causes.error());
    if (!causes->complete) gatherer.incomplete();
    for (const Cause& cause : causes->wanted) {
      // Without a failure there is nothing to group by; a stuck saga is shown all the same.
      if (!cause.value.cause.failure && status != SagaStatus::stuck) continue;
      auto done = cause.verdict == Verdict::yes ? gather_whole(cause, gatherer)
                                                : gather(cause, budget, gatherer);
      if (!done) return std::unexpected(done.error());
    }
  }
  return gatherer.take();
}

// All sagas of the cause: its first and last row are its newest and oldest saga.
Result<void> Search::gather_whole(const Cause& cause, GroupGatherer& gatherer) {
  const std::string prefix = cause_prefix(cause.key);
  const auto newest = reader_.rows(prefix, snapshot_.options(), Direction::forward);
  const auto oldest = reader_.rows(prefix, snapshot_.options(), Direction::backward);
  for (const auto& rows : {newest.get(), oldest.get()}) {
    if (!rows->status().ok()) return std::unexpected(reader_.failed("causes", rows->status()));
    if (!rows->valid()) {
      return std::unexpected(reader_.damaged("the count of cause " + cause.key.cause.text()));
    }
  }
  gatherer.add({.definition = cause.value.cause.definition,
                .failure = cause.value.cause.failure.value_or(FailureClass{}),
                .count = cause.value.count,
                .oldest = member(ByteReader(oldest->key()).newest_first()),
                .newest = member(ByteReader(newest->key()).newest_first())});
  return {};
}

// Those sagas of the cause that pass.
Result<void> Search::gather(const Cause& cause, std::size_t& budget, GroupGatherer& gatherer) {
  const auto take = [&](const ListPosition& position, const SagaSummary* summary,
                        std::size_t cost) {
    if (cost > budget) {
      gatherer.incomplete();
      return false;
    }
    budget -= cost;
    if (summary == nullptr || !passes(position.id, *summary)) return true;
    gatherer.add({.definition = cause.value.cause.definition,
                  .failure = cause.value.cause.failure.value_or(FailureClass{}),
                  .oldest = member(position),
                  .newest = member(position)});
    return true;
  };
  const std::vector<Source> rows = {
      {.prefix = cause_prefix(cause.key), .status = cause.key.status, .holds_summaries = false}};
  return merge(rows, ListOrder::newest, std::nullopt, take);
}

}  // namespace skald::rocks
