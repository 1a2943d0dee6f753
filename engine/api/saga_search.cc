#include "engine/api/saga_search.h"

#include <utility>

#include "engine/api/read_model.h"
#include "engine/api/request_checks.h"
#include "engine/api/saga_service.h"

namespace skald::api {

using filter::both;
using filter::Field;
using filter::where;

filter::Filter filter_of(const FailureGroup& group, GroupBy by, const filter::Filter& asked) {
  switch (by) {
    case GroupBy::cause:
      if (group.failure.cause != CauseId{}) {
        return both(asked, where(Field::cause, group.failure.cause));
      }
      // Written before causes were kept: nothing is known of the failure.
      return both(both(asked, where(Field::step, std::string())),
                  where(Field::error, std::string()));
    case GroupBy::step:
      return both(both(asked, where(Field::definition, group.definition)),
                  where(Field::step, group.failure.step));
    case GroupBy::participant:
      return both(asked, where(Field::participant, group.failure.participant));
  }
  return asked;
}

void SagaService::list(v1::ListRequest request, const CallContext&, Reply<v1::ListResponse> reply) {
  auto query = list_query(request);
  if (!query) return reply(std::unexpected(query.error()));
  auto answer = [reply = std::move(reply)](Result<ListPage> page) mutable {
    if (!page) return reply(std::unexpected(std::move(page.error())));
    v1::ListResponse to;
    for (const ListedSaga& saga : page->sagas) fill_summary(saga, *to.add_sagas());
    to.set_next_page_token(std::move(page->next_page_token));
    reply(std::move(to));
  };
  engine_.list(std::move(*query), std::move(answer));
}

void SagaService::count(v1::CountRequest request, const CallContext&,
                        Reply<v1::CountResponse> reply) {
  auto query = count_query(request);
  if (!query) return reply(std::unexpected(query.error()));
  auto answer = [reply = std::move(reply)](Result<CountPage> page) mutable {
    if (!page) return reply(std::unexpected(std::move(page.error())));
    v1::CountResponse to;
    to.set_count(page->count);
    to.set_next_page_token(std::move(page->next_page_token));
    reply(std::move(to));
  };
  engine_.count(std::move(*query), std::move(answer));
}

void SagaService::stuck_groups(v1::StuckGroupsRequest request, const CallContext&,
                               Reply<v1::StuckGroupsResponse> reply) {
  auto query = group_query(request);
  if (!query) return reply(std::unexpected(query.error()));
  auto answer = [by = query->by, asked = query->filter,
                 reply = std::move(reply)](Result<FailureGroups> found) mutable {
    if (!found) return reply(std::unexpected(std::move(found.error())));
    v1::StuckGroupsResponse to;
    for (const FailureGroup& group : found->groups) {
      v1::FailureGroup& added = *to.add_groups();
      fill_group(group, by, added);
      added.set_filter(print(filter_of(group, by, asked)));
    }
    to.set_sagas(found->sagas);
    to.set_complete(found->complete);
    to.set_filter(print(asked));
    reply(std::move(to));
  };
  engine_.groups(std::move(*query), std::move(answer));
}

}  // namespace skald::api
