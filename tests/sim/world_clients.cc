// Clients: they submit and repeat with the same key, and are told how it ended; and what strikes
// the world at moments of its own is dispatched here. People: world_people.cc.
#include <fmt/format.h>

#include "tests/sim/world.h"

namespace skald::sim {
namespace {

constexpr Millis kOutageMax{20'000};
constexpr std::uint64_t kAskedMax = 60;

enum Chance : std::uint64_t { of_submit = 300 };

}  // namespace

Ticket World::ask(Asked asked) {
  tickets_[++last_ticket_] = std::move(asked);
  return last_ticket_;
}

void World::keep_submitting(std::size_t index) {
  Submission& client = submissions_[index];
  Random random = Random::of({scenario_.seed, Chance::of_submit, index, client.asked});
  // A client without an answer asks again with the same key; without a key it must not.
  if (client.ended || (client.key.empty() && client.asked > 0)) return;
  if (client.acked && client.asked > kAskedMax) return;  // it is left to a person
  in(Millis{random.between(500, 3'000)}, [this, index] { keep_submitting(index); }, false);
  if (client.after && !submissions_[*client.after].ended) return;
  submit(index);
}

void World::submit(std::size_t index) {
  Submission& client = submissions_[index];
  Random random = Random::of({scenario_.seed, Chance::of_submit, index, ~client.asked});
  const bool repeats = !client.key.empty();
  if (seats_.empty()) return;
  DefinitionPtr definition = client.inline_definition;
  if (!definition) definition = registered_->find(client.definition, client.version);
  if (!definition) return;  // not registered in this life: the API refuses it
  const auto mode = client.acked ? WaitMode::done : static_cast<WaitMode>(random.between(1, 3));
  client.asked += 1;
  story_.tell(now(), index,
              [&] { return fmt::format("client {} submits {}", index, definition->name); });
  const std::size_t seat = repeats ? shard_index(hash64(client.key)) : random.below(seats_.size());
  step(seats_[seat],
       input::Submit{.ticket = ask({.what = Asked::What::submit, .submission = index}),
                     .definition = std::move(definition),
                     .input = client.input,
                     .idempotency_key = client.key,
                     .business_key = client.business_key,
                     .body_hash = index,
                     .replay = client.replay,
                     .mode = mode,
                     .wait_until = engine_now() + Millis{random.between(10, 5'000)}});
}

void World::send_other_body(std::size_t index) {
  const Submission& client = submissions_[index];
  if (client.key.empty() || auditor_->key(client.key) == nullptr) return;
  if (key_retention_ < kFaultyFor) return;  // it may be forgotten by then, and rightly
  figures_.faults[index_of(Fault::other_body)] += 1;
  step(seats_[shard_index(hash64(client.key))],
       input::Submit{.ticket = ask({.what = Asked::What::other_body, .submission = index}),
                     .definition = all_definitions_->find("d0", 0),
                     .input = "another",
                     .idempotency_key = client.key,
                     .business_key = client.business_key,
                     .body_hash = ~index,
                     .mode = WaitMode::accepted,
                     .wait_until = engine_now() + Millis{1'000}});
}

void World::take_saga_answer(const Asked& asked, const SagaAnswer& answer) {
  auditor_->told(answer);
  if (asked.what == Asked::What::cancel) return auditor_->cancel_told(answer.id);
  if (asked.what == Asked::What::act) return;
  Submission& client = submissions_[asked.submission];
  if (asked.what == Asked::What::other_body) {
    if (client.acked == answer.id) wrong("I9 another body was taken for " + client.key);
    return;
  }
  // Another saga is right only where the key of the first has lived out.
  const KeyRow* row = auditor_->key(client.key);
  const bool renewed = row != nullptr && row->saga == answer.id;
  if (client.acked && *client.acked != answer.id && !renewed) {
    wrong(fmt::format("I9 one key made two sagas: {} and {}", client.acked->text(),
                      answer.id.text()));
  }
  client.acked = answer.id;
  client.ended = is_terminal(answer.status);
}

void World::take_answer(ShardAnswer answer) {
  const auto found = tickets_.find(answer.ticket);
  if (found == tickets_.end()) return;
  const Asked asked = std::move(found->second);
  tickets_.erase(found);
  if (const auto* error = std::get_if<Error>(&answer.body)) {
    const bool conflict = error->code == Errc::already_exists;
    if (conflict && asked.what == Asked::What::submit) {
      wrong("I9 a repeated submission was called another body");
    }
    // "undecided": the request is recorded all the same.
    if (error->code == Errc::aborted && asked.what == Asked::What::cancel) {
      auditor_->cancel_told(asked.saga);
    }
    return;
  }
  if (const auto* told = std::get_if<SagaAnswer>(&answer.body)) {
    return take_saga_answer(asked, *told);
  }
  if (asked.what == Asked::What::signal) auditor_->signal_told(asked.saga, asked.signal_id);
  if (asked.what == Asked::What::hold) take_hold_answer(asked.place, asked.held);
}

void World::disturb_mall(const Disturbance& what) {
  figures_.faults[index_of(what.fault)] += 1;
  story_.tell(now(), what.salt, [&] { return fmt::format("the mall: {}", name(what.fault)); });
  Random random(what.salt);
  if (what.fault == Fault::cart_edit) mall_.edit_cart(random);
  if (what.fault == Fault::price_change) mall_.change_price(random);
  if (what.fault == Fault::payment) mall_.pay_order(random, clock_.wall());
}

void World::disturb(const Disturbance& what) {
  if (healed_) return;
  if (what.fault == Fault::cart_edit || what.fault == Fault::price_change ||
      what.fault == Fault::payment) {
    return disturb_mall(what);
  }
  if (what.fault == Fault::wall_jump) {
    figures_.faults[index_of(what.fault)] += 1;
    return jump_wall(what.salt);
  }
  if (what.fault == Fault::outage) {
    figures_.faults[index_of(what.fault)] += 1;
    const std::string who = Mall::participant(what.salt);
    outages_[who] = now() + Millis{what.salt % static_cast<std::uint64_t>(kOutageMax.count())};
    return story_.tell(now(), what.salt, [&] { return who + " is out for a while"; });
  }
  if (seats_.empty() || failed_ || draining_) return;
  if (what.fault == Fault::failed_write) {
    write_fails_next_ = true;
  } else if (what.fault == Fault::resubmit) {
    const std::size_t again = what.salt % submissions_.size();
    if (submissions_[again].key.empty() || submissions_[again].asked == 0) return;
    figures_.faults[index_of(what.fault)] += 1;
    submit(again);
  } else if (what.fault == Fault::other_body) {
    send_other_body(what.salt % submissions_.size());
  } else if (what.fault == Fault::crash || what.fault == Fault::definition_missing) {
    figures_.faults[index_of(what.fault)] += 1;
    definitions_missing_ = what.fault == Fault::definition_missing;
    crash(what.salt);
  } else if (what.fault == Fault::drain) {
    figures_.faults[index_of(what.fault)] += 1;
    drain();
  } else if (what.fault == Fault::hold) {
    hold_for_a_while(what.salt);
  } else if (what.fault == Fault::replay) {
    replay(what.salt);
  } else {
    act(what);
  }
}

}  // namespace skald::sim
