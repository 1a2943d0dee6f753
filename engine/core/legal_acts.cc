// One function for each act, from what is known to "legal, and this is what it does" or to a
// refusal with its reason.
#include "engine/core/legal_acts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/core/order.h"
#include "engine/core/owed.h"

namespace skald {
namespace {

constexpr std::size_t kLegsNamedMax = 5;  // in one sentence

/// What a legal act does; or why it is not legal.
using Judged = Result<std::string>;

struct Judge {
  const Definition& definition;
  const SagaState& state;
  Instant now;

  template <class... Args>
  std::unexpected<Error> no(fmt::format_string<Args...> text, Args&&... args) const {
    return fail(Errc::failed_precondition, "saga {} {}", state.id.text(),
                fmt::format(text, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::string leg_text(LegRef ref) const { return leg_name(definition, state, ref); }
  [[nodiscard]] const StepState& step(LegRef ref) const { return state.steps[ref.step]; }
  [[nodiscard]] bool has_leg(LegRef ref) const { return ref.leg < step(ref).legs.size(); }
  [[nodiscard]] const LegState& leg(LegRef ref) const { return step(ref).legs[ref.leg]; }

  [[nodiscard]] static std::string who(const std::string& actor) {
    return actor.empty() ? "someone" : actor;
  }

  // --- the saga as a whole ---

  [[nodiscard]] Judged pause() const {
    if (!state.paused) {
      return "begins nothing new; what is in flight is answered and recorded, deadline and timers "
             "stand still";
    }
    return no("is paused already, by {}{}", who(state.paused_by->name),
              state.paused_by->reason.empty() ? "" : ": " + state.paused_by->reason);
  }

  [[nodiscard]] Judged resume() const {
    if (state.paused) return "goes on; the time it was paused does not count";
    return no("is not paused");
  }

  [[nodiscard]] Judged cancel() const {
    if (state.undoing) return no("is being undone already");
    if (state.decided) {
      return no(
          "has passed its point of no return and will be completed; undo it by a saga of its own");
    }
    if (!pivot_in_flight(definition, state)) {
      return state.paused ? "turns it back; what was done is undone once it is resumed"
                          : "turns it back and undoes what was done";
    }
    if (!state.turn_back) return "is recorded; it turns back only if the pivot was not done";
    return fail(Errc::aborted,
                "undecided: the pivot of saga {} is in flight; the request is recorded and takes "
                "effect if the pivot is refused",
                state.id.text());
  }

  [[nodiscard]] Judged abandon() const {
    if (state.in_flight > 0 && !state.definition_missing) {
      return no(
          "has {} attempt{} in flight, whose answers would be lost; wait for them, or pause "
          "it first so that nothing new is sent",
          state.in_flight, state.in_flight == 1 ? "" : "s");
    }
    std::vector<std::string> names;
    std::size_t standing = 0;
    for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
      const bool known = s < definition.steps.size();
      if (known && definition.steps[s].kind != StepKind::call) continue;
      for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
        const LegState& of = state.steps[s].legs[l];
        const bool stands = of.stage == LegStage::done || of.stage == LegStage::undoing ||
                            (of.stage == LegStage::acting && of.action.maybe);
        if (!stands) continue;
        standing += 1;
        if (known && names.size() < kLegsNamedMax) {
          names.push_back(leg_text({.step = s, .leg = l}));
        }
      }
    }
    if (standing == 0) return "closes it as it is; nothing was done that stays";
    return fmt::format(
        "closes it as it is; {} leg{} done or in doubt stay{} so, and nobody undoes them{}{}{}",
        standing, standing == 1 ? "" : "s", standing == 1 ? "s" : "", names.empty() ? "" : ": ",
        fmt::join(names, ", "), !names.empty() && standing > names.size() ? ", ..." : "");
  }

  // --- retry: the saga, or one leg ---

  [[nodiscard]] Result<bool> retry_leg(LegRef ref) const {
    if (!has_leg(ref)) return false;
    bool any = false;
    for (const auto operation : {Operation::action, Operation::compensation, Operation::probe}) {
      const auto may = may_retry(definition, state, ref, operation, now);
      if (!may) return may;
      any = any || *may;
    }
    return any;
  }

  [[nodiscard]] Judged retry_all() const {
    if (!state.output_stuck.empty()) return "builds the output again";
    std::optional<Error> refused;
    for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
      if (!state.steps[s].stuck_reason.empty()) return kRetriesAll;
      for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
        const auto may = retry_leg({.step = s, .leg = l});
        if (may && *may) return kRetriesAll;
        // One leg in doubt does not keep the others of an unnamed retry from going.
        if (!may && !refused) refused = may.error();
      }
    }
    if (refused) return std::unexpected(*refused);
    return no("has nothing to retry: nothing is stuck or backing off");
  }

  [[nodiscard]] Judged retry(std::optional<LegRef> ref) const {
    if (state.paused) return no("is paused: resume it, and what is due is tried then");
    if (!ref) return retry_all();
    if (!step(*ref).stuck_reason.empty()) return "builds it again";
    const auto may = retry_leg(*ref);
    if (!may) return std::unexpected(may.error());
    if (*may) return fmt::format("tries {} now", leg_text(*ref));
    return no("has nothing to retry at {}: nothing is stuck or backing off", leg_text(*ref));
  }

  // --- one leg ---

  [[nodiscard]] std::optional<Error> not_now(LegRef ref, bool may_be_in_doubt) const {
    const LegState& of = leg(ref);
    const StepDefinition& plan = definition.steps[ref.step];
    for (const auto operation : {Operation::action, Operation::compensation, Operation::probe}) {
      const OperationState* op = find_operation(of, operation);
      if (op == nullptr || op->phase != Phase::in_flight) continue;
      return no("leg {} has attempt {} of its {} in flight: the answer comes within {} ms; ask "
                "again then",
                leg_text(ref), op->attempts, name(operation),
                plan_of(plan, operation).attempt_timeout.count())
          .error();
    }
    const OperationState* op = find_operation(of, operation_in_question(of));
    if (may_be_in_doubt || op == nullptr || !op->maybe) return std::nullopt;
    return no("leg {} may have happened: find out at {}, and resolve it first", leg_text(ref),
              endpoint_of(definition, state, ref, operation_in_question(of)).participant)
        .error();
  }

  /// Why a leg that is neither ready, acting nor being undone is out of reach.
  [[nodiscard]] std::unexpected<Error> over(LegRef ref) const {
    switch (leg(ref).stage) {
      case LegStage::done:
        return no("leg {} is done", leg_text(ref));
      case LegStage::refused:
        return no("leg {} was refused: nothing was done", leg_text(ref));
      case LegStage::undone:
        return no("leg {} is undone", leg_text(ref));
      case LegStage::dropped:
        return no("leg {} was never sent, and never will be", leg_text(ref));
      case LegStage::skipped:
        return no("leg {} is skipped already", leg_text(ref));
      case LegStage::ready:
      case LegStage::acting:
      case LegStage::undoing:
        break;
    }
    return no("leg {} is open", leg_text(ref));
  }

  [[nodiscard]] std::unexpected<Error> without_leg(LegRef ref) const {
    const StepDefinition& plan = definition.steps[ref.step];
    const bool sends = plan.kind == StepKind::call || plan.kind == StepKind::query;
    if (!sends) return no("step {} is a {} and has no leg", plan.name, name(plan.kind));
    return no("step {} has not started, so that it has no leg yet", plan.name);
  }

  [[nodiscard]] Judged skip(LegRef ref) const {
    if (!step(ref).stuck_reason.empty()) {
      return fmt::format("goes on without {}, as if its condition had said no", leg_text(ref));
    }
    if (!has_leg(ref)) return without_leg(ref);
    const LegStage stage = leg(ref).stage;
    const bool open = stage == LegStage::ready || stage == LegStage::acting;
    if (state.undoing && (open || stage == LegStage::undoing)) {
      return no(
          "goes back: what was not sent is not sent any more, and mark-done closes a "
          "compensation that was done by hand");
    }
    if (!open) return over(ref);
    if (auto refusal = not_now(ref, false)) return std::unexpected(std::move(*refusal));
    return fmt::format("goes on without {}: it was not done and never will be", leg_text(ref));
  }

  [[nodiscard]] Judged resolve(LegRef ref) const {
    if (!has_leg(ref)) return without_leg(ref);
    const LegState& of = leg(ref);
    const bool open = of.stage == LegStage::acting || of.stage == LegStage::undoing;
    const Operation operation = operation_in_question(of);
    const OperationState* op = find_operation(of, operation);
    if (open) {
      if (auto refusal = not_now(ref, true)) return std::unexpected(std::move(*refusal));
    }
    if (!open || op == nullptr || !op->maybe) {
      return no("leg {} is not in doubt: Skald knows whether it happened", leg_text(ref));
    }
    return fmt::format("says whether {}{} happened",
                       operation == Operation::action ? "" : "the compensation of ", leg_text(ref));
  }

  [[nodiscard]] Judged amend(LegRef ref) const {
    if (!has_leg(ref)) return without_leg(ref);
    const LegStage stage = leg(ref).stage;
    if (stage == LegStage::done && state.undoing && definition.steps[ref.step].compensation) {
      return no("leg {} is done, and the request of its compensation is not built yet",
                leg_text(ref));
    }
    const bool open =
        stage == LegStage::ready || stage == LegStage::acting || stage == LegStage::undoing;
    if (!open) return over(ref);
    if (auto refusal = not_now(ref, false)) return std::unexpected(std::move(*refusal));
    if (stage == LegStage::ready) return "changes what will be sent, or where";
    return fmt::format("changes what is sent, or where, and tries it {}",
                       state.paused ? "once it is resumed" : "now");
  }

  [[nodiscard]] Judged mark_done(LegRef ref) const {
    if (!has_leg(ref)) return without_leg(ref);
    const LegState& of = leg(ref);
    if (!state.undoing) return no("goes forward: there is no compensation to mark as done");
    if (of.stage == LegStage::acting) {
      return no("leg {} may have happened or not: resolve it first", leg_text(ref));
    }
    if (is_clean(definition.steps[ref.step], of)) return over(ref);
    if (auto refusal = not_now(ref, true)) return std::unexpected(std::move(*refusal));
    return fmt::format("counts {} as undone; nothing is sent", leg_text(ref));
  }

  static constexpr const char* kRetriesAll = "tries everything that is stuck or waiting now";
};

Judged judged(const Judge& judge, ActKind act, std::optional<LegRef> leg) {
  const SagaState& state = judge.state;
  if (state.terminal) {
    return judge.no("is {} already; {} has no effect any more", name(state.status), name(act));
  }
  switch (act) {
    case ActKind::retry:
      return judge.retry(leg);
    case ActKind::pause:
      return judge.pause();
    case ActKind::resume:
      return judge.resume();
    case ActKind::cancel:
      return judge.cancel();
    case ActKind::skip:
      return judge.skip(*leg);
    case ActKind::resolve:
      return judge.resolve(*leg);
    case ActKind::amend:
      return judge.amend(*leg);
    case ActKind::mark_done:
      return judge.mark_done(*leg);
    case ActKind::abandon:
      return judge.abandon();
  }
  return judge.no("knows no such act");
}

constexpr std::array kOnSaga = {ActKind::retry, ActKind::pause, ActKind::resume, ActKind::cancel,
                                ActKind::abandon};
constexpr std::array kOnLeg = {ActKind::retry, ActKind::skip, ActKind::resolve, ActKind::amend,
                               ActKind::mark_done};

}  // namespace

bool requires_leg(ActKind act) { return std::ranges::find(kOnSaga, act) == kOnSaga.end(); }

bool requires_reason(ActKind act) {
  switch (act) {
    case ActKind::retry:
    case ActKind::pause:
    case ActKind::resume:
    case ActKind::cancel:
      return false;
    case ActKind::skip:
    case ActKind::resolve:
    case ActKind::amend:
    case ActKind::mark_done:
    case ActKind::abandon:
      return true;
  }
  return true;
}

Operation operation_in_question(const LegState& leg) {
  const bool undone = leg.stage == LegStage::undoing || leg.stage == LegStage::undone;
  return undone ? Operation::compensation : Operation::action;
}

Result<bool> may_retry(const Definition& definition, const SagaState& state, LegRef ref,
                       Operation operation, Instant now) {
  const LegState& leg = state.steps[ref.step].legs[ref.leg];
  const StepDefinition& step = definition.steps[ref.step];
  const OperationState* op = find_operation(leg, operation);
  const bool in_turn = operation == Operation::probe || operation == operation_in_question(leg);
  if (op == nullptr || !in_turn ||
      (operation == Operation::action && leg.stage != LegStage::acting))
    return false;
  if (op->phase != Phase::stopped && op->phase != Phase::backing_off) return false;
  if (op->phase == Phase::backing_off && op->retry_at == kNever) return false;  // a probe decides
  const bool probed = op->phase == Phase::backing_off && step.probe;
  const OperationPlan& plan = plan_of(step, operation);
  if (op->maybe && !probed && keys_now(plan, *op, now) == KeysMode::none) {
    return fail(Errc::failed_precondition,
                "saga {} leg {} may have happened and {} keeps no keys: a retry could do it twice; "
                "find out whether it happened and resolve the leg first",
                state.id.text(), leg_name(definition, state, ref),
                endpoint_of(definition, state, ref, operation).participant);
  }
  return true;
}

ActVerdict judge_act(const Definition& definition, const SagaState& state, ActKind act,
                     std::optional<LegRef> leg, Instant now) {
  ActVerdict verdict{.act = act, .leg = leg, .refusal = {}, .effect = {}};
  auto judgement = judged({.definition = definition, .state = state, .now = now}, act, leg);
  if (judgement) {
    verdict.effect = std::move(*judgement);
  } else {
    verdict.refusal = std::move(judgement.error());
  }
  return verdict;
}

std::vector<ActVerdict> acts_on_leg(const Definition& definition, const SagaState& state,
                                    LegRef leg, Instant now) {
  std::vector<ActVerdict> verdicts;
  for (const ActKind act : kOnLeg) {
    verdicts.push_back(judge_act(definition, state, act, leg, now));
  }
  return verdicts;
}

std::vector<ActVerdict> legal_acts(const Definition& definition, const SagaState& state,
                                   Instant now) {
  std::vector<ActVerdict> verdicts;
  for (const ActKind act : kOnSaga) {
    verdicts.push_back(judge_act(definition, state, act, std::nullopt, now));
  }
  if (state.terminal) return verdicts;
  const std::size_t most = verdicts.size() + kLegActsMax;
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    const bool stuck = !state.steps[s].stuck_reason.empty();
    const std::size_t legs = stuck ? 1 : state.steps[s].legs.size();
    for (std::uint32_t l = 0; l < legs; ++l) {
      for (ActVerdict& verdict : acts_on_leg(definition, state, {.step = s, .leg = l}, now)) {
        if (verdicts.size() == most) return verdicts;
        if (verdict.is_legal()) verdicts.push_back(std::move(verdict));
      }
    }
  }
  return verdicts;
}

Result<LegRef> find_leg(const Definition& definition, const SagaState& state,
                        std::string_view leg) {
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    const std::string& step = definition.steps[s].name;
    if (!leg.starts_with(step)) continue;
    const StepState& of = state.steps[s];
    const bool whole = of.legs.empty() || !of.stuck_reason.empty();
    if (whole && leg == step) return LegRef{.step = s, .leg = 0};
    for (std::uint32_t l = 0; l < of.legs.size(); ++l) {
      const LegRef ref{.step = s, .leg = l};
      if (leg_name(definition, state, ref) == leg) return ref;
    }
  }
  return fail(Errc::not_found, "saga {} has no leg \"{}\"", state.id.text(), leg);
}

Error refusal_of(const Definition& definition, const SagaState& state, const ActVerdict& verdict,
                 Instant now) {
  Error error = *verdict.refusal;
  if (state.terminal) return error;
  std::vector<std::string> legal;
  const auto add = [&](const ActVerdict& other) {
    if (!other.is_legal()) return;
    legal.push_back(
        other.leg ? fmt::format("{} {}", name(other.act), leg_name(definition, state, *other.leg))
                  : std::string(name(other.act)));
  };
  if (verdict.leg) {
    for (const ActVerdict& other : acts_on_leg(definition, state, *verdict.leg, now)) add(other);
  }
  for (const ActKind act : kOnSaga) {
    add(judge_act(definition, state, act, std::nullopt, now));
  }
  error.message += fmt::format("; legal now: {}", fmt::join(legal, ", "));
  return error;
}

Error moved_on(const SagaState& state, std::uint64_t expected_seq, std::uint64_t seq) {
  std::string since;
  if (state.last_act && state.last_act->seq > expected_seq) {
    since = fmt::format("; {} was first with {} (event {})", Judge::who(state.last_act->actor),
                        name(state.last_act->act), state.last_act->seq);
  }
  return {Errc::aborted,
          fmt::format("saga {} has moved on from event {} to {} and is {} now{}; look at it again",
                      state.id.text(), expected_seq, seq, name(state.status), since)};
}

ActKind kind_of(const command::Act& act) {
  struct Kind {
    ActKind operator()(const command::Cancel&) const { return ActKind::cancel; }
    ActKind operator()(const command::Retry&) const { return ActKind::retry; }
    ActKind operator()(const command::Pause&) const { return ActKind::pause; }
    ActKind operator()(const command::Resume&) const { return ActKind::resume; }
    ActKind operator()(const command::Skip&) const { return ActKind::skip; }
    ActKind operator()(const command::Resolve&) const { return ActKind::resolve; }
    ActKind operator()(const command::Amend&) const { return ActKind::amend; }
    ActKind operator()(const command::MarkDone&) const { return ActKind::mark_done; }
    ActKind operator()(const command::Abandon&) const { return ActKind::abandon; }
  };
  return std::visit(Kind{}, act);
}

const Actor& actor_of(const command::Act& act) {
  return std::visit([](const auto& asked) -> const Actor& { return asked.actor; }, act);
}

std::string_view leg_of(const command::Act& act) {
  return std::visit(
      [](const auto& asked) -> std::string_view {
        if constexpr (requires { asked.leg; }) {
          return asked.leg;
        } else {
          return {};
        }
      },
      act);
}

}  // namespace skald
