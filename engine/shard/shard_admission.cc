// Admission: only here is anything refused for lack of room (rule 12), and one key makes one saga
// (rule 9).
#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/shard/shard.h"

namespace skald {

std::optional<Error> Shard::refuse_admission() const {
  if (failed_) return failed_;
  if (closed_) return closed_;
  if (residents_.size() >= options_.sagas_max) return too_many_sagas(residents_.size());
  if (waiting_.size() >= options_.waiters_max) return too_many_waiters(waiting_.size());
  return std::nullopt;
}

void Shard::on(input::Submit& in) {
  if (failed_) return answer(in.ticket, *failed_);
  if (in.idempotency_key.empty()) {
    if (auto refused = refuse_admission()) {
      counters_.refused += 1;
      return answer(in.ticket, std::move(*refused));
    }
    return start_saga(in);
  }
  if (const auto known = keys_.find(in.idempotency_key); known != keys_.end()) {
    const SagaId id = known->second;
    return join_saga(in, id, residents_.at(id)->state.body_hash);
  }
  auto& lookups = key_lookups_[in.idempotency_key];
  if (lookups.empty()) {
    ready_.loads.push_back(load::Key{in.idempotency_key});
    key_held(in.idempotency_key);
  }
  lookups.push_back(std::move(in));
}

void Shard::know_key(const std::string& key, const SagaId& id) {
  if (!key.empty() && keys_.emplace(key, id).second) key_held(key);
}

void Shard::forget_key(const std::string& key) {
  if (keys_.erase(key) != 0) key_let_go(key);
}

void Shard::key_held(const std::string& key) const {
  if (options_.door != nullptr) options_.door->key_held(hash64(key));
}

void Shard::key_let_go(const std::string& key) const {
  if (options_.door != nullptr) options_.door->key_let_go(hash64(key));
}

/// Where something else than room is wanting the shard says so itself.
void Shard::show_room() const {
  if (options_.door == nullptr) return;
  if (failed_ || closed_) return options_.door->show(0, 0);
  options_.door->show(residents_.size(), waiting_.size());
}

void Shard::join_saga(input::Submit& in, const SagaId& id, std::uint64_t body_hash) {
  if (body_hash != in.body_hash) {
    return answer(in.ticket,
                  Error{Errc::already_exists,
                        fmt::format("idempotency_key was used with another body by saga {}: the "
                                    "definition, its version, the business key or the input differ",
                                    id.text())});
  }
  counters_.joined += 1;
  input::Wait wait{.ticket = in.ticket, .saga = id, .mode = in.mode, .wait_until = in.wait_until};
  on(wait);
}

SagaId Shard::new_id(const std::string& idempotency_key) {
  const auto by_time = static_cast<std::uint64_t>(to_unix_ms(now_)) << 20;
  last_serial_ = std::max(last_serial_ + 1, by_time);
  SagaId id{.placement = 0, .serial = last_serial_};
  if (!idempotency_key.empty()) {
    id.placement = hash64(idempotency_key);
    return id;
  }
  const std::uint64_t spread = mix64(last_serial_ ^ options_.id_seed);
  const std::uint64_t size = options_.placement_last - options_.placement_first;
  id.placement = options_.placement_first + (size == ~0ULL ? spread : spread % (size + 1));
  return id;
}

void Shard::start_saga(input::Submit& in) {
  const SagaId id = new_id(in.idempotency_key);
  auto& saga = *residents_.emplace(id, std::make_unique<Resident>()).first->second;
  saga.state.id = id;
  saga.definition = std::move(in.definition);
  know_key(in.idempotency_key, id);
  counters_.submitted += 1;
  Decision decision;
  const auto started = run(saga,
                           command::Start{.id = id,
                                          .idempotency_key = std::move(in.idempotency_key),
                                          .business_key = std::move(in.business_key),
                                          .body_hash = in.body_hash,
                                          .input = std::move(in.input),
                                          .replay = std::move(in.replay)},
                           decision);
  SKALD_CHECK(started.has_value(), "saga_id={}", id.text());
  settle(saga, decision);
  wait_for(saga, in.ticket, in.mode, in.wait_until, true);
}

}  // namespace skald
