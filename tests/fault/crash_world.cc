#include "tests/fault/crash_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/runtime/saga_reader.h"
#include "engine/wire/stored.h"
#include "mall/sagas.pb.h"

namespace skald::fault {
namespace {

constexpr std::string_view kKey = "order-1";
constexpr std::uint64_t kBodyHash = 42;
constexpr std::size_t kHappeningsMax = 2'000;  // of one life: beyond it nothing ends
constexpr std::size_t kRetriesMax = 8;         // by a person
constexpr std::uint32_t kGateLimit = 2;
constexpr Ticket kPersonsTicket = 1'000;
// No life lasts so long: the shard never asks for another window of timers.
constexpr Millis kTimerWindow{1'000LL * 24 * 3'600'000};

Bytes order_input() {
  ::mall::sagas::CreateOrderRequest request;
  request.set_user_id(Shop::kUser);
  for (const auto sku : Shop::kSkus) request.add_sku_ids(sku);
  request.set_coupon_id(Shop::kCoupon);
  request.set_address("1 Harbour Street");
  return request.SerializeAsString();
}

}  // namespace

CrashWorld::CrashWorld(Plan plan)
    : plan_(std::move(plan)), shop_(plan_.troubles), definitions_({plan_.definition}, nullptr) {}

Told CrashWorld::run() {
  do {
    told_.lives.emplace_back();
    try {
      live();
      break;
    } catch (const Died&) {
      shard_.reset();
      inbox_.clear();
      flights_.clear();
      now_ += plan_.downtime;
    }
  } while (told_.findings.empty());
  for (const Invocation& call : stray_) (void)shop_.receive(now_, call);
  if (told_.findings.empty()) judge_end();
  return std::move(told_);
}

void CrashWorld::live() {
  answered_ = false;
  wake_at_ = kNever;
  moment(Moment::before_commit);
  const auto meta = store_.open_shard(0);
  SKALD_CHECK(meta.has_value(), "");
  moment(Moment::after_commit);
  meta_ = *meta;
  shard_ = std::make_unique<Shard>(
      ShardOptions{.id_seed = told_.lives.size(), .timer_window = kTimerWindow}, definitions_,
      Gates({.limit_of = [](std::string_view) { return kGateLimit; }}),
      [](std::span<const Event> events, Bytes& out) { wire::encode_events(events, out); });
  const auto active = store_.active({}, std::nullopt, 100);
  SKALD_CHECK(active.has_value(), "");
  step(input::Tick{});
  step(input::Recover{.sagas = *active});
  // The client was not answered, so it asks again with the same key.
  step(input::Submit{.ticket = told_.lives.size(),
                     .definition = plan_.definition,
                     .input = order_input(),
                     .idempotency_key = std::string(kKey),
                     .business_key = "SN1",
                     .body_hash = kBodyHash,
                     .mode = WaitMode::done,
                     .wait_until = kNever});
  for (std::size_t happened = 0; told_.findings.empty() && next(); ++happened) {
    if (happened > kHappeningsMax) return wrong("it goes on for ever");
  }
}

/// One thing happens. False: it is over.
bool CrashWorld::next() {
  if (!inbox_.empty()) {
    Input loaded = std::move(inbox_.front());
    inbox_.pop_front();
    step(std::move(loaded));
    return true;
  }
  const auto first = std::ranges::min_element(flights_, {}, &Flight::at);
  if (first != flights_.end() && first->at <= wake_at_) {
    Flight flight = std::move(*first);
    flights_.erase(first);
    now_ = std::max(now_, flight.at);
    step(std::move(flight.reply));
    return true;
  }
  if (answered_ && flights_.empty()) return false;
  if (nothing_else_comes()) {
    if (!ask_a_person()) return wrong("nothing moves it any more"), false;
    return true;
  }
  now_ = std::max(now_, std::exchange(wake_at_, kNever));
  step(input::Tick{});
  return true;
}

bool CrashWorld::nothing_else_comes() const {
  return flights_.empty() && wake_at_ - now_ > kTimerWindow / 4;
}

/// A person retries what is stuck.
bool CrashWorld::ask_a_person() {
  const SagaState* state = saga_ ? shard_->find(*saga_) : nullptr;
  if (state == nullptr || state->status != SagaStatus::stuck) return false;
  if (++retries_ > kRetriesMax) return false;
  step(input::Retry{.ticket = kPersonsTicket,
                    .saga = *saga_,
                    .actor = {.name = "operator", .reason = "the participant is well again"},
                    .leg = ""});
  return true;
}

/// A person cancels while an attempt is out. Once: if the engine dies, nobody asks again.
void CrashWorld::cancel_once(const Place& place) {
  const auto planned = plan_.troubles.find(place);
  const bool wanted = planned != plan_.troubles.end() && planned->second == Trouble::canceled;
  if (!wanted || !saga_ || std::exchange(canceled_, true)) return;
  inbox_.push_back(input::Cancel{.ticket = kPersonsTicket,
                                 .saga = *saga_,
                                 .actor = {.name = "operator", .reason = "changed my mind"}});
}

void CrashWorld::step(Input input) {
  shard_->step(now_, std::move(input));
  pump();
}

void CrashWorld::pump() {
  for (;;) {
    Ready ready = shard_->ready();
    wake_at_ = ready.wake_at;
    const bool nothing = !ready.has_writes() && ready.loads.empty() && ready.queries.empty() &&
                         ready.calls.empty() && ready.answers.empty();
    if (nothing) return;
    honour(std::move(ready));
  }
}

void CrashWorld::honour(Ready ready) {
  for (Invocation& query : ready.queries) send(std::move(query));
  for (const Transition& row : ready.transitions) saga_ = row.id;
  if (ready.has_writes()) commit(ready);
  for (Invocation& call : ready.calls) send(std::move(call));
  for (ShardAnswer& given : ready.answers) answer(std::move(given));
  for (const Load& wanted : ready.loads) {
    // Keys first: the repeated submission must find its saga by the row, not by its being loaded.
    const bool key = std::holds_alternative<load::Key>(wanted);
    inbox_.insert(key ? inbox_.begin() : inbox_.end(), load(wanted));
  }
}

void CrashWorld::commit(Ready& ready) {
  moment(Moment::before_commit);
  const ShardBatch batch{.shard = 0,
                         .epoch = meta_.epoch,
                         .number = ++meta_.number,
                         .clock_high = now_,
                         .transitions = std::move(ready.transitions),
                         .keys_removed = std::move(ready.keys_removed)};
  const auto committed = store_.commit({&batch, 1});
  if (!committed) wrong("commit refused: " + committed.error().message);
  moment(Moment::after_commit);
  shard_->advance(ready.number);
}

void CrashWorld::send(Invocation call) {
  moment(Moment::before_send);
  const Place place{.leg = call.leg, .operation = call.operation};
  if (call.definition->steps[call.ref.step].kind != StepKind::query) judge_send(call);
  told_.sent.push_back(place);
  const std::size_t life = told_.lives.size();
  const bool last = life <= plan_.deaths.size() &&
                    plan_.deaths[life - 1] == told_.lives.back().size() &&
                    plan_.landing == Landing::at_the_end;
  if (last) {
    stray_.push_back(call);
    moment(Moment::after_send);
  }
  Answer answer = shop_.receive(now_, call);
  moment(Moment::after_send);
  flights_.push_back({.at = now_ + answer.after,
                      .reply = {.saga = call.saga_id,
                                .leg = call.ref,
                                .operation = call.operation,
                                .attempt = call.attempt,
                                .lane = call.lane,
                                .outcome = std::move(answer.outcome),
                                .response = std::move(answer.body)}});
  cancel_once(place);
}

void CrashWorld::answer(ShardAnswer answer) {
  if (answer.ticket == kPersonsTicket) return;  // whatever a person is told
  const auto* told = std::get_if<SagaAnswer>(&answer.body);
  if (told == nullptr) {
    return wrong("the client is refused: " + std::get<Error>(answer.body).message);
  }
  const auto stored = read_saga(store_, told->id);
  if (!stored || !*stored) return wrong("an answered saga is not in the store");
  if ((*stored)->status != told->status) wrong("the client was told what is not stored");
  answered_ = true;
}

Input CrashWorld::load(const Load& wanted) {
  struct Run {
    Store& store;
    Input operator()(const load::Key& key) const {
      return input::KeyLoaded{.key = key.key, .row = store.find_key(key.key)};
    }
    Input operator()(const load::Saga& saga) const { return load_saga(store, saga.id); }
    Input operator()(const load::Timers& window) const {
      input::TimersLoaded loaded;
      const auto rows = store.timers({}, window.until, std::nullopt, 100);
      SKALD_CHECK(rows.has_value(), "");
      for (const TimerRow& row : *rows) loaded.timers.push_back({.due = row.due, .saga = row.id});
      return loaded;
    }
  };
  return std::visit(Run{store_}, wanted);
}

void CrashWorld::moment(Moment what) {
  const std::size_t life = told_.lives.size();
  const std::size_t number = told_.lives.back().size();
  told_.lives.back().push_back(what);
  if (life <= plan_.deaths.size() && plan_.deaths[life - 1] == number) throw Died{};
}

void CrashWorld::wrong(std::string what) { told_.findings.push_back(std::move(what)); }

void CrashWorld::judge_send(const Invocation& call) {
  const Place place{.leg = call.leg, .operation = call.operation};
  const std::string what =
      fmt::format("{}/{}#{}", call.leg, skald::name(call.operation), call.attempt);
  // One key for ever; another only for another generation, after a refusal.
  keys_[place].insert(call.idempotency_key);
  const auto trouble = plan_.troubles.find(place);
  const bool refused = trouble != plan_.troubles.end() && trouble->second == Trouble::refused;
  if (keys_[place].size() > (refused ? 1 + kRetriesMax : 1)) wrong("another key for " + what);
  // Its intent is durable, and so no attempt is ever sent twice.
  if (call.attempt <= attempts_[call.idempotency_key]) wrong("sent again with its number: " + what);
  attempts_[call.idempotency_key] = call.attempt;
  const auto state = read_saga(store_, call.saga_id);
  if (!state || !*state) return wrong("no durable saga before " + what);
  const LegState& leg = (*state)->steps[call.ref.step].legs[call.ref.leg];
  const bool undo = call.operation == Operation::compensation;
  const OperationState* op = undo ? (leg.undo ? &*leg.undo : nullptr) : &leg.action;
  if (op == nullptr || op->attempts < call.attempt)
    return wrong("no durable intent before " + what);
  if (undo && leg.action.phase == Phase::in_flight)
    wrong("undone while it may be answered: " + what);
  if (undo) judge_order(call);
  if ((undo ? leg.undo_request : leg.request) != call.request) wrong("other bytes in " + what);
}

/// Steps run one after another, so what was done later is undone earlier.
void CrashWorld::judge_order(const Invocation& call) {
  const auto& steps = call.definition->steps;
  for (const std::string& leg : shop_.standing()) {
    const auto step = std::ranges::find(steps, leg.substr(0, leg.find('[')), &StepDefinition::name);
    if (step - steps.begin() > call.ref.step) wrong(call.leg + " is undone before " + leg);
  }
}

void CrashWorld::judge_end() {
  const auto listed = store_.list({.limit = 10});
  if (!listed || listed->sagas.size() != 1) return wrong("one key did not make one saga");
  const auto state = read_saga(store_, listed->sagas.front().id);
  if (!state || !*state) return wrong("the saga cannot be read");
  told_.status = (*state)->status;
  if (!is_terminal(told_.status)) return wrong("it has not ended");
  if (listed->sagas.front().summary.status != told_.status) wrong("the list disagrees");
  const auto row = store_.find_key(kKey);
  if (!row || !*row || (*row)->saga != (*state)->id || (*row)->body_hash != kBodyHash) {
    wrong("the key's row is not there");
  }
  const auto still_active = store_.active({}, std::nullopt, 10);
  if (!still_active || !still_active->empty()) wrong("an ended saga is listed as active");
  for (std::string& text : shop_.findings(told_.status == SagaStatus::completed)) {
    wrong(std::move(text));
  }
}

}  // namespace skald::fault
