// Clients and operators: they submit, repeat, cancel, signal, retry; and the engine dies now and
// then.
#include <fmt/format.h>

#include "tests/sim/world.h"

namespace skald::sim {

void World::submit(std::size_t index) {
  Submission& submission = submissions_[index];
  const Millis again{random_.between(500, 3'000)};
  // A client without an answer asks again with the same key; without a key it must not.
  if (!submission.told && (!submission.key.empty() || submission.ticket == 0)) {
    in(again, [this, index] { submit(index); }, false);
  }
  if (!shard_ || submission.told || (submission.key.empty() && submission.ticket != 0)) return;
  submission.ticket = ++last_ticket_;
  tickets_[submission.ticket] = index;
  const WaitMode mode =
      submission.acked ? WaitMode::done : static_cast<WaitMode>(random_.between(1, 3));
  trace(fmt::format("client {} submits", index));
  step(input::Submit{.ticket = submission.ticket,
                     .definition = submission.definition,
                     .input = "in",
                     .idempotency_key = submission.key,
                     .business_key = fmt::format("b{}", index),
                     .body_hash = index,
                     .mode = mode,
                     .wait_until = now_ + Millis{random_.between(10, 5'000)}});
}

void World::take_answer(ShardAnswer answer) {
  const auto found = tickets_.find(answer.ticket);
  if (found == tickets_.end()) return;
  const std::size_t index = found->second;
  Submission& submission = submissions_[index];
  tickets_.erase(found);
  if (const auto* error = std::get_if<Error>(&answer.body)) {
    if (error->code == Errc::already_exists) wrong("a repeated submission was called another body");
    return;
  }
  const auto* told = std::get_if<SagaAnswer>(&answer.body);
  if (told == nullptr) return;
  if (submission.acked && *submission.acked != told->id) {
    wrong(fmt::format("one key made two sagas: {} and {}", submission.acked->text(),
                      told->id.text()));
  }
  submission.acked = told->id;
  // I8: what is acknowledged is in the store.
  if (!stored_state(told->id)) wrong("an acknowledged saga is not in the store");
  if (is_terminal(told->status)) submission.told = told->status;
}

void World::disturb() {
  if (!shard_) return;
  if (random_.chance(faults_.crash)) return crash();
  if (submissions_.empty()) return;
  const Submission& victim = submissions_[random_.below(submissions_.size())];
  if (!victim.acked) return;
  const SagaId id = *victim.acked;
  if (random_.chance(faults_.signal)) {
    figures_.signals += 1;
    const std::uint64_t n = random_.below(200);
    step(input::TakeSignal{
        .ticket = ++last_ticket_,
        .saga = id,
        .signal = {
            .id = fmt::format("i{}", n), .name = fmt::format("s{}", n % 2), .payload = "p"}});
  } else if (random_.chance(faults_.cancel)) {
    figures_.cancels += 1;
    trace("cancel " + id.text());
    step(input::Cancel{
        .ticket = ++last_ticket_, .saga = id, .actor = {.name = "op", .reason = "test"}});
  } else if (random_.chance(faults_.retry)) {
    figures_.retries += 1;
    step(input::Retry{.ticket = ++last_ticket_,
                      .saga = id,
                      .actor = {.name = "op", .reason = "test"},
                      .leg = ""});
  }
  touched_.insert(id);
}

}  // namespace skald::sim
