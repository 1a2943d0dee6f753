#include "engine/core/decide.h"

#include "engine/base/check.h"
#include "engine/core/rules.h"

namespace skald {

Result<void> decide(const Definition& definition, SagaState& state, const Command& command,
                    Decision& decision) {
  Draft draft(definition, state, command.at, decision);
  struct Switch {
    Draft& draft;
    Result<void> operator()(const command::Start& c) {
      return rules::start(draft, c), Result<void>{};
    }
    Result<void> operator()(const command::Dispatch& c) {
      return rules::dispatch(draft, c), Result<void>{};
    }
    Result<void> operator()(const command::Reply& c) {
      return rules::reply(draft, c), Result<void>{};
    }
    Result<void> operator()(const command::Wake&) { return rules::wake(draft), Result<void>{}; }
    Result<void> operator()(const command::Recover&) {
      return rules::recover(draft), Result<void>{};
    }
    Result<void> operator()(const command::TakeSignal& c) { return rules::take_signal(draft, c); }
    Result<void> operator()(const command::Act& c) { return rules::act(draft, c); }
  };
  return std::visit(Switch{draft}, command.body);
}

}  // namespace skald
