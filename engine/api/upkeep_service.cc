#include "engine/api/upkeep_service.h"

#include <utility>

namespace skald::api {
namespace {

Answer<CheckReport> shown(Reply<v1::StoreReport> reply) {
  return [reply = std::move(reply)](Result<CheckReport> report) mutable {
    if (!report) return reply(std::unexpected(report.error()));
    v1::StoreReport shown;
    shown.set_sagas(report->sagas);
    shown.set_records(report->records);
    shown.set_rows(report->rows);
    shown.set_wrong(report->wrong);
    for (const Finding& finding : report->findings) {
      auto& row = *shown.add_findings();
      if (finding.saga) row.set_saga_id(finding.saga->text());
      row.set_what(finding.what);
      row.set_expected(finding.expected);
    }
    reply(std::move(shown));
  };
}

}  // namespace

void UpkeepService::check_store(v1::CheckStoreRequest, const CallContext&,
                                Reply<v1::StoreReport> reply) {
  engine_.check_store(shown(std::move(reply)));
}

void UpkeepService::back_up(v1::BackUpRequest request, const CallContext&,
                            Reply<v1::StoreReport> reply) {
  if (!request.directory().starts_with('/')) {
    return reply(fail(Errc::invalid_argument,
                      "directory: an absolute path on the server's machine is needed"));
  }
  engine_.back_up(request.directory(), shown(std::move(reply)));
}

}  // namespace skald::api
