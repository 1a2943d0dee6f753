// Finding sagas by a filter: where to look, so that as few rows as possible are looked at. One
// Search is one state of the database.
//
// A filter is first asked about whole groups: all sagas of a definition and status, then all of a
// cause. Where it says yes or no, nothing more is read; where it says maybe, the rows of that group
// are read in list order and asked one by one.
#pragma once

#include <string>
#include <vector>

#include "engine/filter/evaluate.h"
#include "engine/store/rocks_batch.h"
#include "engine/store/rocks_rows.h"

namespace skald::rocks {

class Search {
 public:
  /// `names`: of definitions, by number. Everything is borrowed.
  Search(const RowReader& reader, const std::vector<std::string>& names,
         const filter::Filter& filter, Instant now);

  [[nodiscard]] Result<ListPage> list(const ListQuery& query,
                                      const std::optional<ListPosition>& after);
  [[nodiscard]] Result<CountPage> count(const std::optional<ListPosition>& after);
  [[nodiscard]] Result<FailureGroups> groups(GroupBy by);

 private:
  /// Rows in list order, among which are sagas that are looked for.
  struct Source {
    std::string prefix;
    std::optional<SagaStatus> status;  // none: any
    bool holds_summaries = true;       // otherwise a row only names one
  };
  struct Plan {
    std::uint64_t counted = 0;  // sagas that pass and are not among the sources
    std::vector<Source> sources;
  };
  enum class Purpose : std::uint8_t { list = 1, count };
  /// Sagas of one status, by what the filter says of their definitions.
  struct Share {
    std::uint64_t yes = 0;
    std::uint64_t maybe = 0;
    std::uint64_t no = 0;
  };
  struct Cause {
    CauseKey key;
    CauseValue value;
    filter::Verdict verdict = filter::Verdict::maybe;
  };
  struct Causes {
    std::vector<Cause> wanted;  // those that are not a clear no
    bool complete = true;
  };

  [[nodiscard]] Result<Plan> plan(Purpose purpose);
  [[nodiscard]] Result<void> plan_status(SagaStatus status, const Share& share, Purpose purpose,
                                         Plan& plan);
  [[nodiscard]] Result<Share> share_of(SagaStatus status) const;
  [[nodiscard]] Result<Causes> causes_of(SagaStatus status, std::size_t rows_max) const;

  /// Merges the sources in list order; take(position, summary or null, cost) until it says no.
  template <class Take>
  Result<void> merge(const std::vector<Source>& sources, ListOrder order,
                     const std::optional<ListPosition>& after, Take&& take);
  void begin(Rows& rows, const std::optional<ListPosition>& after) const;
  [[nodiscard]] bool is_past(const ListPosition& position, Direction direction) const;

  [[nodiscard]] Result<ListPage> list_longest_stuck(const ListQuery& query,
                                                    const std::optional<ListPosition>& after);
  /// The saga that the filter names by its id.
  [[nodiscard]] Result<std::optional<ListedSaga>> named(const SagaId& id) const;
  [[nodiscard]] Result<void> gather(const Cause& cause, std::size_t& budget,
                                    GroupGatherer& gatherer);
  [[nodiscard]] Result<void> gather_whole(const Cause& cause, GroupGatherer& gatherer);
  [[nodiscard]] bool passes(const SagaId& id, const SagaSummary& summary) const;

  const RowReader& reader_;
  const std::vector<std::string>& names_;
  const filter::Filter& filter_;
  Instant now_;
  filter::Narrowing narrow_;
  Snapshot snapshot_;
};

}  // namespace skald::rocks
