#include "participants/kit/barrier.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/wire/errors.h"

namespace skald::kit {
namespace {

using ::mall::stored::KeyEntry;
using ::mall::stored::LegRow;

std::string leg_key(const SagaCall& call) {
  if (call.saga_id.empty()) return fmt::format("{}-/{}", kLegPrefix, call.key);
  return fmt::format("{}{}/{}", kLegPrefix, call.saga_id, call.leg);
}

const KeyEntry* find_entry(const LegRow& leg, std::string_view key) {
  const auto& entries = leg.entries();
  const auto it = std::ranges::find_if(entries, [&](const auto& e) { return e.key() == key; });
  return it == entries.end() ? nullptr : &*it;
}

/// The newest action that took effect, else the newest action.
const KeyEntry* newest_action(const LegRow& leg) {
  const KeyEntry* found = nullptr;
  for (const auto& entry : leg.entries()) {
    if (entry.operation() != ::mall::stored::OPERATION_ACTION) continue;
    if (!found || entry.effects() > 0 || found->effects() == 0) found = &entry;
  }
  return found;
}

BarrierAnswer stored_answer(const KeyEntry& entry) {
  if (entry.code().empty()) return {entry.response(), BarrierVerdict::replayed};
  const auto code = wire::errc_of_connect_code(entry.code());
  SKALD_CHECK(code, "key={} code={}", entry.key(), entry.code());
  return {std::unexpected(Error{*code, entry.message()}), BarrierVerdict::replayed};
}

BarrierAnswer refusal(Errc code, std::string message) {
  return {std::unexpected(Error{code, std::move(message)}), BarrierVerdict::refused};
}

bool in_effect(const LegRow& leg) { return leg.action_effects() > leg.compensation_effects(); }

/// One call on one leg: what the row says, and what becomes of it.
class LegVisit {
 public:
  LegVisit(Txn& txn, const BarrierCall& call)
      : txn_(txn), call_(call), row_key_(leg_key(call.saga)) {
    if (auto row = get_message<LegRow>(txn, row_key_)) leg_ = std::move(*row);
    leg_.set_saga_id(call.saga.saga_id);
    leg_.set_leg(call.saga.leg);
  }

  BarrierAnswer visit(const Effect& effect) {
    if (call_.saga.operation == Operation::probe) return probe();
    if (const auto* entry = find_entry(leg_, call_.saga.key)) return again(*entry);
    if (leg_.entries_size() >= kKeysPerLegMax) {
      return refusal(Errc::resource_exhausted,
                     fmt::format("leg={} has {} keys already", call_.saga.leg, kKeysPerLegMax));
    }
    if (call_.keys == KeysMode::dedup) return run(effect);
    return call_.saga.operation == Operation::action ? act(effect) : compensate(effect);
  }

 private:
  BarrierAnswer probe() const {
    const auto* entry = newest_action(leg_);
    if (entry) return stored_answer(*entry);
    if (leg_.closed()) return refusal(Errc::failed_precondition, "undone before it ran");
    return refusal(Errc::not_found, fmt::format("leg={} was never seen here", call_.saga.leg));
  }

  BarrierAnswer again(const KeyEntry& entry) const {
    if (entry.request_hash() != call_.request_hash) {
      return refusal(Errc::invalid_argument,
                     fmt::format("{}: used before for another request", kIdempotencyKeyHeader));
    }
    return stored_answer(entry);
  }

  BarrierAnswer act(const Effect& effect) {
    if (leg_.closed()) {
      const Error late{Errc::failed_precondition, "undone before it ran"};
      record(std::unexpected(late), 0);
      return {std::unexpected(late), BarrierVerdict::refused};
    }
    if (!in_effect(leg_)) return run(effect);
    const auto* first = newest_action(leg_);
    if (first->request_hash() != call_.request_hash) {
      return refusal(Errc::internal,
                     fmt::format("leg={} took effect under key={} with another request",
                                 call_.saga.leg, first->key()));
    }
    auto answer = stored_answer(*first);
    record(answer.response, 0);
    return answer;
  }

  BarrierAnswer compensate(const Effect& effect) {
    if (in_effect(leg_)) return run(effect);
    leg_.set_closed(true);
    record(call_.nothing_to_undo, 0);
    return {call_.nothing_to_undo, BarrierVerdict::nothing_to_undo};
  }

  BarrierAnswer run(const Effect& effect) {
    auto response = effect(txn_);
    if (!response) {
      txn_.discard();
      if (is_definite(response.error().code)) record(response, 0);
      return {std::move(response), BarrierVerdict::executed};
    }
    if (call_.saga.operation == Operation::action) {
      leg_.set_action_effects(leg_.action_effects() + 1);
    } else {
      leg_.set_compensation_effects(leg_.compensation_effects() + 1);
      leg_.set_closed(true);
    }
    record(response, 1);
    return {std::move(response), BarrierVerdict::executed};
  }

  void record(const Result<std::string>& response, std::uint32_t effects) {
    auto& entry = *leg_.add_entries();
    entry.set_key(call_.saga.key);
    entry.set_operation(call_.saga.operation == Operation::action
                            ? ::mall::stored::OPERATION_ACTION
                            : ::mall::stored::OPERATION_COMPENSATION);
    entry.set_procedure(call_.procedure);
    entry.set_request_hash(call_.request_hash);
    if (response) {
      entry.set_response(*response);
    } else {
      entry.set_code(std::string(wire::connect_code(response.error().code)));
      entry.set_message(response.error().message);
    }
    entry.set_effects(effects);
    entry.set_at_ms(to_unix_ms(txn_.now()));
    put_message(txn_, row_key_, leg_);
  }

  Txn& txn_;
  const BarrierCall& call_;
  const std::string row_key_;
  LegRow leg_;
};

}  // namespace

std::string_view name(BarrierVerdict verdict) {
  switch (verdict) {
    case BarrierVerdict::executed:
      return "executed";
    case BarrierVerdict::replayed:
      return "replayed";
    case BarrierVerdict::nothing_to_undo:
      return "nothing_to_undo";
    case BarrierVerdict::refused:
      return "refused";
  }
  return "";
}

BarrierAnswer pass_barrier(Txn& txn, const BarrierCall& call, const Effect& effect) {
  return LegVisit(txn, call).visit(effect);
}

bool is_definite(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::already_exists:
    case Errc::failed_precondition:
    case Errc::out_of_range:
      return true;
    case Errc::canceled:
    case Errc::unknown:
    case Errc::deadline_exceeded:
    case Errc::permission_denied:  // a wrong configuration: the same request may pass once it is
                                   // right
    case Errc::resource_exhausted:
    case Errc::aborted:
    case Errc::unimplemented:
    case Errc::internal:
    case Errc::unavailable:
    case Errc::data_loss:
    case Errc::unauthenticated:
      return false;
  }
  return false;
}

std::uint64_t request_hash(std::string_view procedure, std::string_view request) {
  return hash64(request, hash64(procedure));
}

::mall::LegAudit leg_audit(const LegRow& row) {
  ::mall::LegAudit audit;
  audit.set_saga_id(row.saga_id());
  audit.set_leg(row.leg());
  audit.set_action_effects(row.action_effects());
  audit.set_compensation_effects(row.compensation_effects());
  audit.set_closed(row.closed());
  for (const auto& entry : row.entries()) {
    auto& key = *audit.add_keys();
    key.set_key(entry.key());
    key.set_operation(entry.operation() == ::mall::stored::OPERATION_ACTION ? "action"
                                                                            : "compensation");
    key.set_procedure(entry.procedure());
    key.set_code(entry.code().empty() ? "ok" : entry.code());
    key.set_effects(entry.effects());
    key.set_at_ms(entry.at_ms());
  }
  return audit;
}

std::optional<std::string> forget_legs(Txn& txn, Instant before, std::string after,
                                       std::size_t rows_max) {
  const auto rows = txn.scan(
      {.prefix = std::string(kLegPrefix), .after = std::move(after), .rows_max = rows_max});
  for (const auto& row : rows) {
    LegRow leg;
    SKALD_CHECK(leg.ParseFromString(row.value), "row kind=b size={}", row.value.size());
    const auto old = [&](const auto& entry) { return entry.at_ms() < to_unix_ms(before); };
    // What is in effect may have to be undone at any time: forgotten, undoing it would do nothing.
    if (!in_effect(leg) && std::ranges::all_of(leg.entries(), old)) txn.erase(row.key);
  }
  if (rows.size() < rows_max) return std::nullopt;
  return rows.back().key;
}

}  // namespace skald::kit
