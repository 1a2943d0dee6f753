#include "engine/api/batch_acts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/api/words.h"
#include "engine/core/decide.h"
#include "engine/core/legal_acts.h"
#include "engine/filter/evaluate.h"
#include "engine/shard/saga_rows.h"

namespace skald::api {
namespace {

using batch::Outcome;
using batch::Verdict;

/// "saga 0kq3... is completed" -> "is completed": sagas that are alike are told alike.
std::string without_id(std::string text, const SagaId& saga) {
  const std::string named = fmt::format("saga {} ", saga.text());
  if (text.starts_with(named)) return text.substr(named.size());
  const std::string id = saga.text();
  for (auto at = text.find(id); at != std::string::npos; at = text.find(id)) {
    text.replace(at, id.size(), "ID");
  }
  return text;
}

/// What an error of an act says of the saga; nullopt: nothing, ask again later.
std::optional<Verdict> verdict_of(const Error& error, const SagaId& saga) {
  switch (error.code) {
    case Errc::not_found:
      return Verdict{.kind = Verdict::Kind::skips, .why = "is gone: its retention is over"};
    case Errc::failed_precondition:
    case Errc::invalid_argument:
    case Errc::permission_denied:
    case Errc::already_exists:
    case Errc::data_loss:
    case Errc::internal:
      return Verdict{.kind = Verdict::Kind::refuses, .why = without_id(error.message, saga)};
    case Errc::aborted:
    case Errc::canceled:
    case Errc::unknown:
    case Errc::deadline_exceeded:
    case Errc::resource_exhausted:
    case Errc::out_of_range:
    case Errc::unimplemented:
    case Errc::unavailable:
    case Errc::unauthenticated:
      return std::nullopt;
  }
  return std::nullopt;
}

template <class T>
void tell(const Error& error, const SagaId& saga, T& answer) {
  if (auto verdict = verdict_of(error, saga)) return answer(std::move(*verdict));
  answer(std::unexpected(error));
}

/// What was chosen is acted on only as long as it is that.
std::optional<Verdict> no_longer_chosen(const batch::Spec& spec, const SagaSnapshot& snapshot) {
  const auto filter = filter::parse(spec.filter);
  if (!filter) return std::nullopt;  // it was parsed when the batch began
  const SagaState& state = snapshot.state;
  const bool waiting = stored_as_waiting(state, snapshot.definition.get());
  const SagaSummary summary = summary_of(snapshot.definition.get(), state, waiting);
  const auto subject = filter::Subject::saga(state.id, summary, snapshot.now);
  if (evaluate(*filter, subject) != filter::Verdict::no) return std::nullopt;
  return Verdict{
      .kind = Verdict::Kind::skips,
      .why = fmt::format("has changed and does not match any more: it is {}", name(state.status))};
}

/// The leg that is meant where none is named: the only one that may be resolved.
Result<std::string> leg_in_doubt(const SagaSnapshot& snapshot) {
  std::string found;
  for (const ActVerdict& one : legal_acts(*snapshot.definition, snapshot.state, snapshot.now)) {
    if (one.act != ActKind::resolve || !one.leg || !one.is_legal()) continue;
    if (!found.empty()) {
      return fail(Errc::failed_precondition, "has several legs in doubt; name one");
    }
    found = leg_name(*snapshot.definition, snapshot.state, *one.leg);
  }
  if (found.empty()) return fail(Errc::failed_precondition, "has no leg in doubt");
  return found;
}

Result<command::Act> command_of(const batch::Spec& spec, const SagaSnapshot& snapshot,
                                Actor actor) {
  if (spec.act == batch::Act::cancel) return command::Cancel{.actor = std::move(actor)};
  if (spec.act == batch::Act::retry) {
    return command::Retry{.actor = std::move(actor), .leg = spec.leg};
  }
  auto leg = spec.leg.empty() ? leg_in_doubt(snapshot) : Result<std::string>(spec.leg);
  if (!leg) return std::unexpected(leg.error());
  return command::Resolve{.actor = std::move(actor),
                          .leg = std::move(*leg),
                          .happened = spec.happened,
                          .hold = spec.hold,
                          .response = {},
                          .operation = {}};
}

/// The act and what it would do; or the refusal.
struct Judged {
  Verdict verdict;
  std::optional<command::Act> act;
};

Judged judged(const batch::Spec& spec, const SagaSnapshot& snapshot, Actor actor) {
  const SagaState& state = snapshot.state;
  const auto no = [&](const Error& error) {
    return Judged{
        .verdict = {.kind = Verdict::Kind::refuses, .why = without_id(error.message, state.id)},
        .act = {}};
  };
  if (!snapshot.definition) {
    return no({Errc::failed_precondition,
               fmt::format("needs definition {} version {}, which is not registered here",
                           state.definition, state.version)});
  }
  auto act = command_of(spec, snapshot, std::move(actor));
  if (!act) return no(act.error());
  SagaState copy = state;
  Decision decision;
  const auto decided =
      decide(*snapshot.definition, copy, {.at = snapshot.now, .body = *act}, decision);
  if (!decided && decision.events.empty()) return no(decided.error());
  std::optional<LegRef> leg;
  if (const auto named = leg_of(*act); !named.empty()) {
    if (const auto found = find_leg(*snapshot.definition, state, named)) leg = *found;
  }
  return {
      .verdict =
          {.kind = Verdict::Kind::acts,
           .why = judge_act(*snapshot.definition, state, kind_of(*act), leg, snapshot.now).effect},
      .act = std::move(*act)};
}

v1::ReplayRequest replay_request(const batch::Spec& spec, const SagaSnapshot& snapshot) {
  v1::ReplayRequest request;
  request.set_saga_id(snapshot.state.id.text());
  request.set_version(spec.version);
  request.set_newest(spec.newest);
  request.set_from(spec.from);
  request.set_number(static_cast<std::uint32_t>(snapshot.replays.size()) + 1);
  return request;
}

std::optional<Verdict> replayed_before(const batch::Spec& spec, const SagaSnapshot& snapshot) {
  if (spec.again || snapshot.replays.empty()) return std::nullopt;
  return Verdict{.kind = Verdict::Kind::skips,
                 .why = "was replayed already",
                 .followed = snapshot.replays.back()};
}

bool acted_in(const std::vector<Event>& events, batch::Number number) {
  return std::ranges::any_of(events, [number](const Event& event) {
    const Actor* actor = std::visit(
        []<class T>(const T& body) -> const Actor* {
          if constexpr (requires { body.actor.reason; }) return &body.actor;
          return nullptr;
        },
        event.body);
    return actor != nullptr && batch::is_marked(*actor, number);
  });
}

}  // namespace

BatchActs::BatchActs(Engine& engine, ServiceOptions options)
    : engine_(engine), replays_(engine, std::move(options)) {}

void BatchActs::judge(const batch::Spec& spec, const SagaId& saga, Answer<batch::Verdict> answer) {
  auto with_saga = [this, &spec, saga,
                    answer = std::move(answer)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return tell(snapshot.error(), saga, answer);
    if (auto changed = no_longer_chosen(spec, *snapshot)) return answer(std::move(*changed));
    if (spec.act == batch::Act::replay) {
      return judge_replay(spec, std::move(*snapshot), std::move(answer));
    }
    answer(judged(spec, *snapshot, spec.actor).verdict);
  };
  engine_.get(ById{saga}, std::move(with_saga));
}

void BatchActs::judge_replay(const batch::Spec& spec, SagaSnapshot snapshot,
                             Answer<batch::Verdict> answer) {
  if (auto before = replayed_before(spec, snapshot)) return answer(std::move(*before));
  v1::ReplayRequest request = replay_request(spec, snapshot);
  request.set_dry_run(true);
  auto told = [saga = snapshot.state.id,
               answer = std::move(answer)](Result<v1::ReplayResponse> paper) mutable {
    if (!paper) return tell(paper.error(), saga, answer);
    Verdict verdict{.kind = Verdict::Kind::acts,
                    .why = fmt::format("starts a saga of {} version {}", paper->definition(),
                                       paper->version())};
    if (paper->has_failure()) verdict.why += ", which would turn back: a builder refuses";
    answer(std::move(verdict));
  };
  replays_.replay_by(spec.actor, std::move(request), std::move(told));
}

// What this batch did before a crash is looked for first: then nothing else of the saga matters.
void BatchActs::act(batch::Number number, const batch::Spec& spec, const SagaId& saga,
                    Answer<batch::Verdict> answer) {
  auto with_saga = [this, number, &spec, saga,
                    answer = std::move(answer)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return tell(snapshot.error(), saga, answer);
    const bool acted_on = snapshot->state.last_act.has_value();  // by anybody, ever
    std::vector<SagaId> replays = snapshot->replays;
    auto unless_done = [this, number, &spec, snapshot = std::move(*snapshot),
                        answer = std::move(answer)](Result<std::optional<SagaId>> done) mutable {
      if (!done) return answer(std::unexpected(done.error()));
      if (*done) return answer(Verdict{.kind = Verdict::Kind::acts, .why = {}, .followed = **done});
      if (auto changed = no_longer_chosen(spec, snapshot)) return answer(std::move(*changed));
      if (spec.act == batch::Act::replay) {
        return do_replay(number, spec, std::move(snapshot), std::move(answer));
      }
      do_act(spec, std::move(snapshot), batch::marked_actor(number, spec.actor), std::move(answer));
    };
    if (spec.act == batch::Act::replay) {
      return find_replay(number, std::move(replays), std::move(unless_done));
    }
    if (!acted_on) return unless_done(std::nullopt);
    find_act(number, saga, std::move(unless_done));
  };
  engine_.get(ById{saga}, std::move(with_saga));
}

void BatchActs::find_act(batch::Number number, const SagaId& saga,
                         Answer<std::optional<SagaId>> answer) {
  auto with_history = [number, saga,
                       answer = std::move(answer)](Result<SagaHistory> history) mutable {
    if (!history) return answer(std::unexpected(history.error()));
    if (acted_in(history->events, number)) return answer(saga);
    answer(std::nullopt);
  };
  engine_.history(ById{saga}, std::move(with_history));
}

void BatchActs::find_replay(batch::Number number, std::vector<SagaId> replays,
                            Answer<std::optional<SagaId>> answer) {
  if (replays.empty()) return answer(std::nullopt);
  const SagaId newest = replays.back();
  replays.pop_back();
  auto with_replay = [this, number, replays = std::move(replays),
                      answer = std::move(answer)](Result<SagaSnapshot> replay) mutable {
    if (!replay) return answer(std::unexpected(replay.error()));
    const SagaState& state = replay->state;
    if (state.replay && batch::is_marked(state.replay->actor, number)) return answer(state.id);
    find_replay(number, std::move(replays), std::move(answer));
  };
  engine_.get(ById{newest}, std::move(with_replay));
}

void BatchActs::do_act(const batch::Spec& spec, SagaSnapshot snapshot, Actor actor,
                       Answer<batch::Verdict> answer) {
  const SagaId saga = snapshot.state.id;
  Judged found = judged(spec, snapshot, std::move(actor));
  if (!found.act) return answer(std::move(found.verdict));
  // Who says what the truth is, says it of the saga that was looked at.
  const std::uint64_t seen = spec.act == batch::Act::resolve ? snapshot.state.seq : 0;
  auto done = [saga, cancels = spec.act == batch::Act::cancel,
               answer = std::move(answer)](Result<SagaAnswer> result) mutable {
    // Undecided: a cancel is recorded all the same.
    const bool recorded = !result && cancels && result.error().code == Errc::aborted;
    if (result || recorded) {
      return answer(Verdict{.kind = Verdict::Kind::acts, .why = {}, .followed = saga});
    }
    tell(result.error(), saga, answer);
  };
  engine_.act(ById{saga}, std::move(*found.act), seen, std::move(done));
}

void BatchActs::do_replay(batch::Number number, const batch::Spec& spec, SagaSnapshot snapshot,
                          Answer<batch::Verdict> answer) {
  if (auto before = replayed_before(spec, snapshot)) return answer(std::move(*before));
  auto done = [this, number, saga = snapshot.state.id,
               answer = std::move(answer)](Result<v1::ReplayResponse> response) mutable {
    if (!response) return tell(response.error(), saga, answer);
    const auto id = SagaId::parse(response->saga().saga_id());
    Verdict verdict{.kind = Verdict::Kind::acts, .why = {}, .followed = id.value_or(SagaId{})};
    if (response->saga().created()) return answer(std::move(verdict));
    // Somebody else was first, a moment ago; or this batch was, and its answer was lost.
    auto whose = [verdict = std::move(verdict),
                  answer = std::move(answer)](Result<std::optional<SagaId>> ours) mutable {
      if (!ours) return answer(std::unexpected(ours.error()));
      if (!*ours) {
        verdict.kind = Verdict::Kind::skips;
        verdict.why = "was replayed already";
      }
      answer(std::move(verdict));
    };
    find_replay(number, {verdict.followed}, std::move(whose));
  };
  replays_.replay_by(batch::marked_actor(number, spec.actor), replay_request(spec, snapshot),
                     std::move(done));
}

void BatchActs::follow(const SagaId& saga, Millis patience,
                       Answer<std::optional<batch::End>> answer) {
  auto told = [this, saga, answer = std::move(answer)](Result<SagaAnswer> result) mutable {
    if (!result && result.error().code == Errc::not_found) {
      return answer(batch::End{.outcome = Outcome::lost,
                               .why = "is gone: its retention was over before its end was seen"});
    }
    if (!result) return answer(std::unexpected(result.error()));
    const std::string why = result->failure ? failure_words(*result->failure) : "";
    switch (result->status) {
      case SagaStatus::completed:
        return answer(batch::End{.outcome = Outcome::completed, .why = {}});
      case SagaStatus::compensated:
        return answer(batch::End{.outcome = Outcome::compensated, .why = why});
      case SagaStatus::abandoned:
        return answer(batch::End{.outcome = Outcome::abandoned, .why = why});
      case SagaStatus::paused:
        return answer(batch::End{.outcome = Outcome::paused, .why = "a person has paused it"});
      case SagaStatus::stuck:
        return look_closer(saga, std::move(answer));
      case SagaStatus::running:
      case SagaStatus::compensating:
        return answer(std::nullopt);
    }
  };
  engine_.wait(ById{saga}, WaitMode::done, patience, std::move(told));
}

// Stuck for good, or tried again just now: an attempt that is out, or owed, may still free it.
void BatchActs::look_closer(const SagaId& saga, Answer<std::optional<batch::End>> answer) {
  auto told = [answer = std::move(answer)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return answer(std::unexpected(snapshot.error()));
    const SagaState& state = snapshot->state;
    const bool moves =
        state.status != SagaStatus::stuck || state.in_flight > 0 || !snapshot->owed.wants.empty();
    if (moves) return answer(std::nullopt);
    const SagaSummary summary = summary_of(snapshot->definition.get(), state, false);
    std::string why;
    if (summary.failure) {
      const FailureClass& failure = *summary.failure;
      why = fmt::format("{}: {}", failure.step, failure.message);
    }
    answer(batch::End{.outcome = Outcome::stuck, .why = std::move(why)});
  };
  engine_.get(ById{saga}, std::move(told));
}

}  // namespace skald::api
