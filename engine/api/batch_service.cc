#include "engine/api/batch_service.h"

#include <array>
#include <utility>

#include "engine/api/request_checks.h"

namespace skald::api {
namespace {

using batch::Act;
using batch::Outcome;

constexpr std::size_t kLegMax = 512;  // of a leg's or a step's name
constexpr std::size_t kResultsDefault = 100;

/// What belongs to another act is a mistake, and not left out in silence.
Result<void> check_foreign(Act act, const v1::BatchSpec& from) {
  const auto foreign = [act](std::string_view field) {
    return fail(Errc::invalid_argument, "{}: does not go with {}", field, name(act));
  };
  const bool answers = from.answer() != v1::BatchAnswer::unspecified || from.hold();
  if (act != Act::resolve && answers) return foreign("answer");
  if (act != Act::resolve && act != Act::retry && !from.leg().empty()) return foreign("leg");
  if (act == Act::replay) return {};
  if (from.version() != 0 || from.newest()) return foreign("version");
  if (!from.from().empty()) return foreign("from");
  if (from.again()) return foreign("again");
  return {};
}

Result<std::uint32_t> bounded(std::string_view field, std::uint32_t asked, std::uint32_t fallback,
                              std::uint32_t most) {
  if (asked > most) return fail(Errc::invalid_argument, "{}: {}, at most {}", field, asked, most);
  return asked == 0 ? fallback : asked;
}

Result<batch::Spec> read_spec(v1::BatchSpec& from) {
  if (from.act() < v1::BatchAct::retry || from.act() > v1::BatchAct::replay) {
    return fail(Errc::invalid_argument, "act: one of retry, cancel, resolve, replay");
  }
  const auto act = static_cast<Act>(from.act());
  auto filter = filter::parse(from.filter());
  if (!filter) return std::unexpected(filter.error());
  if (!filter->root) {
    return fail(Errc::invalid_argument, "filter: is required: a batch says which sagas it means");
  }
  const std::array<TextRule, 2> rules{{
      {.field = "leg", .text = from.leg(), .size_max = kLegMax},
      {.field = "from", .text = from.from(), .size_max = kLegMax},
  }};
  if (auto checked = check_texts(rules); !checked) return std::unexpected(checked.error());
  if (auto checked = check_foreign(act, from); !checked) return std::unexpected(checked.error());
  if (act == Act::resolve && from.answer() != v1::BatchAnswer::happened &&
      from.answer() != v1::BatchAnswer::did_not_happen) {
    return fail(Errc::invalid_argument, "answer: say happened or did_not_happen");
  }
  auto rate = bounded("rate", from.rate(), batch::kRateDefault, batch::kRateMax);
  if (!rate) return std::unexpected(rate.error());
  auto in_flight =
      bounded("in_flight_max", from.in_flight_max(), batch::kInFlightDefault, batch::kInFlightMax);
  if (!in_flight) return std::unexpected(in_flight.error());
  auto actor = read_actor(from);
  if (!actor) return std::unexpected(actor.error());
  return batch::Spec{.act = act,
                     .filter = print(*filter),
                     .actor = std::move(*actor),
                     .leg = from.leg(),
                     .happened = from.answer() == v1::BatchAnswer::happened,
                     .hold = from.hold(),
                     .version = from.version(),
                     .newest = from.newest(),
                     .from = from.from(),
                     .again = from.again(),
                     .rate = *rate,
                     .in_flight_max = *in_flight,
                     .key = {}};
}

void fill_spec(const batch::Spec& spec, v1::BatchSpec& to) {
  to.set_act(static_cast<v1::BatchAct::Value>(spec.act));
  to.set_filter(spec.filter);
  to.set_actor(spec.actor.name);
  to.set_reason(spec.actor.reason);
  to.set_leg(spec.leg);
  if (spec.act == Act::resolve) {
    to.set_answer(spec.happened ? v1::BatchAnswer::happened : v1::BatchAnswer::did_not_happen);
  }
  to.set_hold(spec.hold);
  to.set_version(spec.version);
  to.set_newest(spec.newest);
  to.set_from(spec.from);
  to.set_again(spec.again);
  to.set_rate(spec.rate);
  to.set_in_flight_max(spec.in_flight_max);
}

void fill_batch(const batch::Batch& batch, v1::Batch& to) {
  to.set_number(batch.number);
  fill_spec(batch.spec, *to.mutable_spec());
  to.set_stage(static_cast<v1::BatchStage::Value>(batch.stage));
  to.set_sagas(batch.sagas);
  const batch::Counts counts = told_counts(batch);
  std::uint64_t settled = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (is_settled(outcome)) settled += counts[i];
    if (counts[i] == 0) continue;
    auto& count = *to.add_counts();
    count.set_outcome(std::string(name(outcome)));
    count.set_sagas(counts[i]);
  }
  to.set_settled(settled);
  fill_time(batch.began_at, *to.mutable_began_at());
  if (has_ended(batch.stage)) fill_time(batch.ended_at, *to.mutable_ended_at());
  if (!batch.changed_by) return;
  to.set_changed_by(batch.changed_by->name);
  to.set_change_reason(batch.changed_by->reason);
}

Answer<batch::Batch> shown(Reply<v1::Batch> reply) {
  return [reply = std::move(reply)](Result<batch::Batch> batch) mutable {
    if (!batch) return reply(std::unexpected(std::move(batch.error())));
    v1::Batch to;
    fill_batch(*batch, to);
    reply(std::move(to));
  };
}

std::string_view word(batch::Verdict::Kind kind) {
  switch (kind) {
    case batch::Verdict::Kind::acts:
      return "acts";
    case batch::Verdict::Kind::skips:
      return "skips";
    case batch::Verdict::Kind::refuses:
      return "refuses";
  }
  return "?";
}

void fill_preview(const batch::Preview& preview, v1::BatchPreview& to) {
  std::array<std::uint64_t, 4> sums{};  // by kind
  for (const batch::Preview::Group& group : preview.groups) {
    sums[std::to_underlying(group.kind)] += group.sagas;
    auto& added = *to.add_groups();
    added.set_verdict(std::string(word(group.kind)));
    added.set_why(group.why);
    added.set_sagas(group.sagas);
    added.set_example_saga_id(group.example.text());
  }
  to.set_sagas(preview.sagas);
  to.set_acted_on(sums[std::to_underlying(batch::Verdict::Kind::acts)]);
  to.set_skipped(sums[std::to_underlying(batch::Verdict::Kind::skips)]);
  to.set_refused(sums[std::to_underlying(batch::Verdict::Kind::refuses)]);
}

}  // namespace

void BatchService::preview(v1::BatchSpec request, const CallContext&,
                           Reply<v1::BatchPreview> reply) {
  auto spec = read_spec(request);
  if (!spec) return reply(std::unexpected(spec.error()));
  auto answer = [filter = spec->filter,
                 reply = std::move(reply)](Result<batch::Preview> preview) mutable {
    if (!preview) return reply(std::unexpected(std::move(preview.error())));
    v1::BatchPreview to;
    fill_preview(*preview, to);
    to.set_filter(std::move(filter));
    reply(std::move(to));
  };
  batches_.preview(std::move(*spec), std::move(answer));
}

void BatchService::start(v1::StartBatchRequest request, const CallContext& context,
                         Reply<v1::Batch> reply) {
  auto spec = read_spec(*request.mutable_spec());
  if (!spec) return reply(std::unexpected(spec.error()));
  if (requires_reason(spec->act) && spec->actor.reason.empty()) {
    return reply(
        fail(Errc::invalid_argument, "reason: a {} of many sagas says why", name(spec->act)));
  }
  auto key = agreed_key(request.key(), context.idempotency_key);
  if (!key) return reply(std::unexpected(key.error()));
  const std::array<TextRule, 1> rules{{{.field = "key", .text = *key, .size_max = kBatchKeyMax}}};
  if (auto checked = check_texts(rules); !checked) return reply(std::unexpected(checked.error()));
  spec->key = std::move(*key);
  batches_.start(std::move(*spec), request.sagas_most(), shown(std::move(reply)));
}

void BatchService::get(v1::BatchRequest request, const CallContext&, Reply<v1::Batch> reply) {
  shown(std::move(reply))(batches_.find(request.number()));
}

void BatchService::change(batch::Change change, v1::BatchRequest request, Reply<v1::Batch> reply) {
  auto actor = read_actor(request);
  if (!actor) return reply(std::unexpected(actor.error()));
  batches_.change(request.number(), change, std::move(*actor), shown(std::move(reply)));
}

void BatchService::pause(v1::BatchRequest request, const CallContext&, Reply<v1::Batch> reply) {
  change(batch::Change::pause, std::move(request), std::move(reply));
}
void BatchService::resume(v1::BatchRequest request, const CallContext&, Reply<v1::Batch> reply) {
  change(batch::Change::resume, std::move(request), std::move(reply));
}
void BatchService::cancel(v1::BatchRequest request, const CallContext&, Reply<v1::Batch> reply) {
  change(batch::Change::cancel, std::move(request), std::move(reply));
}

void BatchService::list(v1::ListBatchesRequest, const CallContext&,
                        Reply<v1::ListBatchesResponse> reply) {
  v1::ListBatchesResponse to;
  for (const batch::Batch& batch : batches_.all()) fill_batch(batch, *to.add_batches());
  reply(std::move(to));
}

void BatchService::results(v1::BatchResultsRequest request, const CallContext&,
                           Reply<v1::BatchResultsResponse> reply) {
  batch::ResultQuery query{.number = request.number(), .outcome = {}, .limit = kResultsDefault};
  if (!request.outcome().empty()) {
    query.outcome = batch::outcome_named(request.outcome());
    if (!query.outcome) {
      return reply(fail(Errc::invalid_argument, "outcome: there is no outcome \"{}\"",
                        request.outcome().substr(0, kActorTextMax)));
    }
  }
  if (request.limit() > kListPageMax) {
    return reply(fail(Errc::invalid_argument, "limit: {}, at most {} is allowed", request.limit(),
                      kListPageMax));
  }
  if (request.limit() != 0) query.limit = request.limit();
  query.page_token = std::move(*request.mutable_page_token());
  auto answer = [reply = std::move(reply)](Result<batch::ResultPage> page) mutable {
    if (!page) return reply(std::unexpected(std::move(page.error())));
    v1::BatchResultsResponse to;
    for (batch::Entry& entry : page->entries) {
      auto& added = *to.add_results();
      added.set_saga_id(entry.saga.text());
      added.set_outcome(std::string(name(entry.outcome)));
      added.set_why(std::move(entry.why));
      if (entry.followed != SagaId{}) added.set_followed_saga_id(entry.followed.text());
    }
    to.set_next_page_token(std::move(page->next_page_token));
    reply(std::move(to));
  };
  batches_.results(std::move(query), std::move(answer));
}

}  // namespace skald::api
