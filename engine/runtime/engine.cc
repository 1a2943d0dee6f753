// Opening, and routing each call to the shard of its saga.
#include "engine/runtime/engine.h"

#include <algorithm>

#include "engine/base/hash.h"
#include "engine/runtime/engine_on_threads.h"
#include "engine/runtime/shard_count.h"
#include "engine/wire/stored.h"

namespace skald {

Result<void> EngineOnThreads::open() {
  if (const auto wrong = parts_.options.validate(); !wrong.empty()) {
    return fail(Errc::invalid_argument, "engine options: {}", fmt::join(wrong, "; "));
  }
  const std::size_t shards = shard_count(parts_.options);
  upkeep_ = std::make_unique<Upkeep>(
      Upkeep::Parts{parts_.store, blocking_, definitions_, parts_.options, shards,
                    [this](std::uint32_t shard, std::vector<EndedSaga> sagas) {
                      drivers_[shard]->post(input::RemoveSagas{.sagas = std::move(sagas)});
                    },
                    parts_.log.named("upkeep")});
  std::vector<ShardMeta> metas;
  Instant high{};
  for (std::uint32_t i = 0; i < shards; ++i) {
    auto meta = parts_.store.open_shard(i);
    if (!meta) return std::unexpected(meta.error());
    high = std::max(high, meta->clock_high);
    metas.push_back(*meta);
  }
  if (const auto loaded = holds_.load(parts_.store); !loaded) {
    return std::unexpected(loaded.error());
  }
  clock_ = std::make_unique<EngineClock>(parts_.clock, high, parts_.log.named("runtime"));
  started_at_ = clock_->now();
  committer_ = std::make_unique<Committer>(
      parts_.store,
      Committer::Options{.records_max = parts_.options.commit_batch_records_max,
                         .bytes_max = parts_.options.commit_batch_bytes_max,
                         .bytes_per_look = parts_.options.disk_reserve_bytes / kLooksPerReserve,
                         .look = [this] { judge_disk(); }},
      std::move(metas),
      [this](std::uint32_t shard, std::uint64_t number) { drivers_[shard]->durable(number); },
      [this](const Error& error) {
        failed_ = true;
        for (auto& driver : drivers_) driver->writing_failed(error);
      },
      parts_.log.named("committer"));
  for (std::uint32_t i = 0; i < shards; ++i) {
    drivers_.push_back(make_driver(i, shards));
    drivers_.back()->set_invoker(parts_.make_invoker(drivers_.back()->io()));
  }
  if (const auto opened = open_outbox(); !opened) return std::unexpected(opened.error());
  for (auto& driver : drivers_) {
    for (const ParticipantHold& hold : holds_.all()) {
      driver->post(input::Hold{.participant = hold.participant, .path = hold.path});
    }
    driver->start();
  }
  house_timer_ = std::make_unique<boost::asio::steady_timer>(drivers_.front()->io());
  boost::asio::post(drivers_.front()->io(), [this] { keep_house(); });
  return {};
}

std::unique_ptr<ShardDriver> EngineOnThreads::make_driver(std::uint32_t index, std::size_t shards) {
  const auto& options = parts_.options;
  const PlacementRange range = range_of(index, shards);
  const auto share = [shards](std::uint64_t total) {
    return std::max<std::uint64_t>(1, (total + shards - 1) / shards);
  };
  const auto limit_of = [&options, share](std::string_view participant) {
    const auto own = options.participants.find(std::string(participant));
    const auto& chosen =
        own == options.participants.end() ? options.participant_default : own->second;
    return static_cast<std::uint32_t>(share(chosen.in_flight_max));
  };
  auto door =
      std::make_unique<ShardDoor>(share(options.active_sagas_max), share(options.waiters_max));
  auto shard = std::make_unique<Shard>(
      ShardOptions{.placement_first = range.first,
                   .placement_last = range.last,
                   .id_seed = mix64(
                       static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count()) ^
                       (std::uint64_t{index} << 56)),
                   .sagas_max = share(options.active_sagas_max),
                   .waiters_max = share(options.waiters_max),
                   .timer_window = options.timer_window,
                   .alerts = {.targets = options.alerts.targets,
                              .retries_over = options.alerts.retries_over,
                              .outbox_max = share(options.alerts.outbox_max),
                              .encode = wire::encode_alert},
                   .door = door.get()},
      definitions_, Gates({.limit_of = limit_of, .breaker = options.breaker}),
      [](std::span<const Event> events, Bytes& out) { wire::encode_events(events, out); });
  return std::make_unique<ShardDriver>(
      ShardDriver::Parts{.index = index,
                         .range = range,
                         .inbox_max = options.inbox_max,
                         .store = parts_.store,
                         .blocking = blocking_,
                         .clock = *clock_,
                         .committer = *committer_,
                         .take_alert = [this](Alert alert) { outbox_->take(std::move(alert)); },
                         .log = parts_.log.named("shard")},
      std::move(door), std::move(shard));
}

ShardDriver& EngineOnThreads::any_driver() {
  for (auto& driver : drivers_) {
    if (driver->io().get_executor().running_in_this_thread()) return *driver;
  }
  return *drivers_[next_driver_.fetch_add(1, std::memory_order_relaxed) % drivers_.size()];
}

void EngineOnThreads::submit(SubmitRequest request, WaitMode mode, Millis timeout,
                             Answer<SagaAnswer> answer) {
  DefinitionPtr definition = request.inline_definition
                                 ? inline_.share(std::move(request.inline_definition))
                                 : definitions_.find(request.definition, request.version);
  if (!definition) {
    return answer(
        request.version == 0
            ? fail(Errc::not_found, "definition: there is no definition \"{}\"", request.definition)
            : fail(Errc::not_found, "version: definition \"{}\" has no version {}",
                   request.definition, request.version));
  }
  if (request.input.size() > parts_.options.input_bytes_max) {
    return answer(fail(Errc::invalid_argument, "input: {} bytes, more than input_bytes_max={}",
                       request.input.size(), parts_.options.input_bytes_max));
  }
  if (request.idempotency_key.size() > kIdempotencyKeyMax) {
    return answer(fail(Errc::invalid_argument, "idempotency_key: {} bytes, more than {}",
                       request.idempotency_key.size(), kIdempotencyKeyMax));
  }
  if (request.business_key.size() > kBusinessKeyMax) {
    return answer(fail(Errc::invalid_argument, "business_key: {} bytes, more than {}",
                       request.business_key.size(), kBusinessKeyMax));
  }
  std::optional<std::uint64_t> key;
  if (!request.idempotency_key.empty()) key = hash64(request.idempotency_key);
  ShardDriver& driver = key ? driver_of(*key) : any_driver();
  const Instant until = add_saturated(clock_->now(), timeout);
  auto make_input = [request = std::move(request), definition = std::move(definition), mode,
                     until](Ticket ticket) mutable -> Input {
    return input::Submit{.ticket = ticket,
                         .definition = std::move(definition),
                         .input = std::move(request.input),
                         .idempotency_key = std::move(request.idempotency_key),
                         .business_key = std::move(request.business_key),
                         .body_hash = request.body_hash,
                         .replay = std::move(request.replay),
                         .mode = mode,
                         .wait_until = until};
  };
  InputAnswer tell = typed<SagaAnswer>(std::move(answer));
  if (!driver.post_submission(key, std::move(make_input), tell)) tell(inbox_is_full());
}

std::optional<Error> EngineOnThreads::refuse_at_once(std::string_view idempotency_key) {
  std::optional<std::uint64_t> key;
  if (!idempotency_key.empty()) key = hash64(idempotency_key);
  ShardDoor& door = (key ? driver_of(*key) : any_driver()).door();
  std::optional<Error> refusal = door.no_room();
  if (!refusal) return std::nullopt;
  if (key) {
    // In this order: a saga that leaves memory between the two looks is in the store.
    if (door.may_know(*key)) return std::nullopt;
    const auto row = parts_.store.find_key_in_memory(idempotency_key);
    const bool is_new = row && *row && !(*row)->has_value();
    if (!is_new) return std::nullopt;
  }
  door.refused();
  return refusal;
}

void EngineOnThreads::resolve(SagaRef saga, Resolved resolved) {
  if (const auto* by_id = std::get_if<ById>(&saga)) return resolved(by_id->id);
  blocking_.run([this, saga = std::move(saga), resolved = std::move(resolved)]() mutable {
    if (const auto* by_key = std::get_if<ByIdempotencyKey>(&saga)) {
      auto row = parts_.store.find_key(by_key->key);
      if (!row) return resolved(std::unexpected(row.error()));
      if (!*row) {
        return resolved(fail(Errc::not_found, "there is no saga with this idempotency key"));
      }
      return resolved((*row)->saga);
    }
    const auto& key = std::get<ByBusinessKey>(saga).key;
    auto ids = parts_.store.find_business_key(key, 1);
    if (!ids) return resolved(std::unexpected(ids.error()));
    if (ids->empty()) {
      return resolved(fail(Errc::not_found, "there is no saga with business key \"{}\"", key));
    }
    resolved(ids->front());
  });
}

void EngineOnThreads::wait(SagaRef saga, WaitMode mode, Millis timeout, Answer<SagaAnswer> answer) {
  const Instant until = add_saturated(clock_->now(), timeout);
  auto make = [mode, until](Ticket ticket, SagaId id) -> Input {
    return input::Wait{.ticket = ticket, .saga = id, .mode = mode, .wait_until = until};
  };
  ask<SagaAnswer>(std::move(saga), std::move(make), std::move(answer));
}

void EngineOnThreads::signal(SagaRef saga, Signal signal, Answer<bool> answer) {
  auto make = [signal = std::move(signal)](Ticket ticket, SagaId id) mutable -> Input {
    return input::TakeSignal{.ticket = ticket, .saga = id, .signal = std::move(signal)};
  };
  ask<bool>(std::move(saga), std::move(make), std::move(answer));
}

void EngineOnThreads::cancel(SagaRef saga, Actor actor, Answer<SagaAnswer> answer) {
  auto make = [actor = std::move(actor)](Ticket ticket, SagaId id) mutable -> Input {
    return input::Cancel{.ticket = ticket, .saga = id, .actor = std::move(actor)};
  };
  ask<SagaAnswer>(std::move(saga), std::move(make), std::move(answer));
}

void EngineOnThreads::retry(SagaRef saga, Actor actor, std::string leg, Answer<SagaAnswer> answer) {
  auto make = [actor = std::move(actor), leg = std::move(leg)](Ticket ticket,
                                                               SagaId id) mutable -> Input {
    return input::Retry{
        .ticket = ticket, .saga = id, .actor = std::move(actor), .leg = std::move(leg)};
  };
  ask<SagaAnswer>(std::move(saga), std::move(make), std::move(answer));
}

void EngineOnThreads::act(SagaRef saga, command::Act act, std::uint64_t expected_seq,
                          Answer<SagaAnswer> answer) {
  auto make = [act = std::move(act), expected_seq](Ticket ticket, SagaId id) mutable -> Input {
    return input::Act{
        .ticket = ticket, .saga = id, .act = std::move(act), .expected_seq = expected_seq};
  };
  ask<SagaAnswer>(std::move(saga), std::move(make), std::move(answer));
}

std::vector<boost::asio::io_context*> EngineOnThreads::threads() {
  std::vector<boost::asio::io_context*> result;
  for (auto& driver : drivers_) result.push_back(&driver->io());
  return result;
}

Result<std::unique_ptr<Engine>> Engine::start(EngineParts parts) {
  auto engine = std::make_unique<EngineOnThreads>(std::move(parts));
  if (auto opened = engine->open(); !opened) return std::unexpected(opened.error());
  return engine;
}

}  // namespace skald
