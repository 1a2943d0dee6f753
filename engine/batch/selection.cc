#include "engine/batch/selection.h"

#include <algorithm>
#include <map>
#include <span>

namespace skald::batch {
namespace {

constexpr std::size_t kJudgedAtOnce = 64;

std::unexpected<Error> stopping() {
  return fail(Errc::unavailable, "this server is stopping; nothing was begun");
}

class Groups {
 public:
  void add(Verdict verdict, const SagaId& saga) {
    auto place = std::make_pair(verdict.kind, std::move(verdict.why));
    if (groups_.size() >= kGroupsMax && !groups_.contains(place)) place.second = "other reasons";
    Preview::Group& group = groups_[place];
    if (group.sagas++ == 0) {
      group.kind = place.first;
      group.why = place.second;
      group.example = saga;
    }
  }

  [[nodiscard]] std::vector<Preview::Group> by_size() && {
    std::vector<Preview::Group> groups;
    for (auto& [place, group] : groups_) groups.push_back(std::move(group));
    std::ranges::sort(groups, [](const Preview::Group& a, const Preview::Group& b) {
      return a.sagas != b.sagas ? a.sagas > b.sagas : a.why < b.why;
    });
    return groups;
  }

 private:
  std::map<std::pair<Verdict::Kind, std::string>, Preview::Group> groups_;
};

}  // namespace

Result<std::vector<SagaId>> choose_sagas(Engine& engine, const std::string& filter,
                                         const Stopped& stopped) {
  auto parsed = filter::parse(filter);
  if (!parsed) return std::unexpected(parsed.error());
  std::vector<SagaId> sagas;
  std::string token;
  do {
    if (stopped()) return stopping();
    ListQuery query{.filter = *parsed, .order = ListOrder::oldest, .limit = kListPageMax};
    query.page_token = std::move(token);
    auto page = waited<ListPage>(
        [&](Answer<ListPage> answer) { engine.list(std::move(query), std::move(answer)); });
    if (!page) return std::unexpected(page.error());
    for (const ListedSaga& saga : page->sagas) sagas.push_back(saga.id);
    if (sagas.size() > kBatchSagasMax) {
      return fail(Errc::resource_exhausted,
                  "filter: more than {} sagas match (limit kBatchSagasMax); narrow it, for example "
                  "by definition or by when they started",
                  kBatchSagasMax);
    }
    token = std::move(page->next_page_token);
  } while (!token.empty());
  return sagas;
}

Result<Preview> preview_of(SagaActs& acts, const Spec& spec, const std::vector<SagaId>& sagas,
                           const Stopped& stopped) {
  Groups groups;
  std::span<const SagaId> rest(sagas);
  while (!rest.empty()) {
    if (stopped()) return stopping();
    const auto now = rest.first(std::min(rest.size(), kJudgedAtOnce));
    rest = rest.subspan(now.size());
    std::vector<std::future<Result<Verdict>>> verdicts;
    for (const SagaId& saga : now) {
      std::promise<Result<Verdict>> promise;
      verdicts.push_back(promise.get_future());
      acts.judge(spec, saga, [promise = std::move(promise)](Result<Verdict> verdict) mutable {
        promise.set_value(std::move(verdict));
      });
    }
    for (std::size_t i = 0; i < now.size(); ++i) {
      auto verdict = verdicts[i].get();
      if (!verdict) return std::unexpected(verdict.error());
      groups.add(std::move(*verdict), now[i]);
    }
  }
  return Preview{.sagas = sagas.size(), .groups = std::move(groups).by_size()};
}

}  // namespace skald::batch
