#include "engine/core/rehearsal.h"

#include <algorithm>
#include <deque>

#include "engine/core/owed.h"

namespace skald {
namespace {

class Rehearsing {
 public:
  Rehearsing(const Definition& definition, const Script& script)
      : definition_(definition), script_(script), now_(script.at) {}

  /// What was sent when depends on who answered first. So that an order of answers that never was
  /// does not matter, everything that was answered is sent before it is, successes come before
  /// refusals, and what was never answered comes last.
  Rehearsal run() {
    ask(script_.start);
    while (!done_.unanswered && !done_.state.terminal) {
      if (!send_answered() && !answer_next() && !send_unanswered() && !pass_time()) break;
    }
    return std::move(done_);
  }

 private:
  void ask(command::Body body) {
    Decision decision;
    // A refusal leaves everything as it was, and nothing more is wanted.
    const auto decided =
        decide(definition_, done_.state, {.at = now_, .body = std::move(body)}, decision);
    if (!decided) return;
    for (const Event& event : decision.events) {
      const auto* kept = std::get_if<event::StepKept>(&event.body);
      if (kept != nullptr) done_.kept.push_back(kept->step);
    }
    std::ranges::copy(decision.wants, std::back_inserter(wants_));
    for (const Send& send : decision.sends) sent(send);
  }

  /// nullptr: none is known.
  [[nodiscard]] const RehearsedAnswer* answer_to(LegRef leg, Operation operation) const {
    if (operation != Operation::action) return &kDone;
    const auto known = script_.actions.find(leg_name(definition_, done_.state, leg));
    if (known != script_.actions.end()) return &known->second;
    return script_.assume_success ? &kDone : nullptr;
  }

  void sent(const Send& send) {
    const LegState& leg = done_.state.steps[send.leg.step].legs[send.leg.leg];
    const bool action = send.operation == Operation::action;
    done_.requests.push_back({.leg = send.leg,
                              .operation = send.operation,
                              .request = action ? leg.request : leg.undo_request,
                              .assumed = assumed_});
    const RehearsedAnswer* answer = answer_to(send.leg, send.operation);
    if (answer == nullptr) {
      done_.unanswered = send.leg;
      return;
    }
    replies_.push_back({.reply = {.leg = send.leg,
                                  .operation = send.operation,
                                  .attempt = send.attempt,
                                  .outcome = answer->outcome,
                                  .response = answer->response},
                        .assumed = action && answer == &kDone});
  }

  bool send_answered() {
    const auto known = std::ranges::find_if(
        wants_, [&](const Want& want) { return answer_to(want.leg, want.operation) != nullptr; });
    if (known == wants_.end()) return false;
    return send_now(known);
  }

  bool send_unanswered() { return !wants_.empty() && send_now(wants_.begin()); }

  bool send_now(std::deque<Want>::iterator at) {
    const Want want = *at;
    wants_.erase(at);
    ask(command::Dispatch{.leg = want.leg, .operation = want.operation});
    return true;
  }

  bool answer_next() {
    if (replies_.empty()) return false;
    auto next = std::ranges::find_if(replies_, [](const Pending& pending) {
      return pending.reply.outcome.kind == OutcomeKind::succeeded;
    });
    if (next == replies_.end()) next = replies_.begin();
    Pending pending = std::move(*next);
    replies_.erase(next);
    assumed_ = assumed_ || pending.assumed;
    ask(std::move(pending.reply));
    return true;
  }

  /// Ends the first wait there is; false: there is none.
  bool pass_time() {
    for (std::uint16_t s = 0; s < definition_.steps.size(); ++s) {
      const StepDefinition& plan = definition_.steps[s];
      const StepState& step = done_.state.steps[s];
      if (plan.kind != StepKind::wait || step.stage != StepStage::running) continue;
      const auto signal = script_.signals.find(plan.name);
      if (signal != script_.signals.end() && !plan.wait.signal.empty()) {
        ask(command::TakeSignal{
            .signal = {.id = plan.name, .name = plan.wait.signal, .payload = signal->second}});
      } else {
        now_ = std::max(now_, step.due_at);
        ask(command::Wake{});
      }
      return done_.state.steps[s].stage != StepStage::running;
    }
    return false;
  }

  struct Pending {
    command::Reply reply;
    bool assumed = false;
  };
  static inline const RehearsedAnswer kDone{.outcome = {.kind = OutcomeKind::succeeded},
                                            .response = {}};

  const Definition& definition_;
  const Script& script_;
  Instant now_;
  Rehearsal done_;
  std::deque<Want> wants_;
  std::deque<Pending> replies_;
  bool assumed_ = false;
};

}  // namespace

Rehearsal rehearse(const Definition& definition, const Script& script) {
  return Rehearsing(definition, script).run();
}

}  // namespace skald
