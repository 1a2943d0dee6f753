// The façade: routes each call to the shard of its saga, reads through the store, and keeps house.
#include "engine/runtime/engine.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/runtime/committer.h"
#include "engine/runtime/engine_clock.h"
#include "engine/runtime/engine_metrics.h"
#include "engine/runtime/placement.h"
#include "engine/runtime/saga_reader.h"
#include "engine/runtime/shard_driver.h"
#include "engine/runtime/upkeep.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

constexpr Millis kHousekeepingEvery{1'000};
constexpr std::uint32_t kKeysEvery = 5;        // housekeeping rounds between sweeps of expired keys
constexpr std::size_t kKeysPerSweep = 16'384;  // of one shard
constexpr std::uint32_t kBlockingThreads = 4;
constexpr Millis kDrainPoll{2};

class EngineOnThreads final : public Engine {
 public:
  explicit EngineOnThreads(EngineParts parts)
      : parts_(std::move(parts)),
        definitions_(parts_.definitions, parts_.read_inline),
        blocking_(kBlockingThreads) {}

  ~EngineOnThreads() override { stop_threads(); }

  Result<void> open();

  void submit(SubmitRequest request, WaitMode mode, Millis timeout,
              Answer<SagaAnswer> answer) override;
  void wait(SagaRef saga, WaitMode mode, Millis timeout, Answer<SagaAnswer> answer) override;
  void get(SagaRef saga, Answer<SagaSnapshot> answer) override;
  void history(SagaRef saga, Answer<SagaHistory> answer) override;
  void list(ListQuery query, Answer<ListPage> answer) override;
  void count(CountQuery query, Answer<CountPage> answer) override;
  void groups(GroupQuery query, Answer<FailureGroups> answer) override;
  void check_store(Answer<CheckReport> answer) override;
  void back_up(std::string directory, Answer<CheckReport> answer) override;
  void signal(SagaRef saga, Signal signal, Answer<bool> answer) override;
  void cancel(SagaRef saga, Actor actor, Answer<SagaAnswer> answer) override;
  void retry(SagaRef saga, Actor actor, std::string leg, Answer<SagaAnswer> answer) override;

  void act(SagaRef saga, command::Act act, std::uint64_t expected_seq,
           Answer<SagaAnswer> answer) override;

  std::vector<DefinitionPtr> definitions() const override { return definitions_.all(); }
  DefinitionPtr find_definition(std::string_view name, std::uint32_t version) const override {
    return definitions_.find(name, version);
  }
  Result<void> ready() const override;
  std::string metrics() const override;
  std::vector<boost::asio::io_context*> threads() override;
  void drain(Millis grace) override;

 private:
  using Resolved = std::move_only_function<void(Result<SagaId>)>;

  ShardDriver& driver_of(std::uint64_t placement) {
    return *drivers_[shard_of(placement, drivers_.size())];
  }
  ShardDriver& any_driver();
  void resolve(SagaRef saga, Resolved resolved);
  /// Posts an input about one saga to its shard; T: what its answer holds.
  template <class T, class MakeInput>
  void ask(SagaRef saga, MakeInput make_input, Answer<T> answer);
  /// Runs a read off the I/O threads; its answer is given on an engine thread.
  template <class T, class Read>
  void read(Read read, Answer<T> answer);
  template <class T>
  static InputAnswer typed(Answer<T> answer);

  std::unique_ptr<Shard> make_shard(std::uint32_t index, std::size_t shards);
  void keep_house();
  void judge_disk();
  void sweep_keys();
  void stop_threads();

  EngineParts parts_;
  DefinitionTable definitions_;
  BlockingPool blocking_;
  std::unique_ptr<EngineClock> clock_;
  std::vector<std::unique_ptr<ShardDriver>> drivers_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<boost::asio::steady_timer> house_timer_;
  std::uint32_t house_rounds_ = 0;
  std::unique_ptr<Upkeep> upkeep_;
  bool disk_low_ = false;  // blocking pool's one judging job at a time
  std::atomic<bool> draining_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint32_t> next_driver_{0};
  bool stopped_ = false;
};

Result<void> EngineOnThreads::open() {
  if (const auto wrong = parts_.options.validate(); !wrong.empty()) {
    return fail(Errc::invalid_argument, "engine options: {}", fmt::join(wrong, "; "));
  }
  const std::size_t shards = parts_.options.threads != 0
                                 ? parts_.options.threads
                                 : std::max(1U, std::thread::hardware_concurrency());
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
  clock_ = std::make_unique<EngineClock>(parts_.clock, high, parts_.log.named("runtime"));
  committer_ = std::make_unique<Committer>(
      parts_.store,
      Committer::Options{.records_max = parts_.options.commit_batch_records_max,
                         .bytes_max = parts_.options.commit_batch_bytes_max},
      std::move(metas),
      [this](std::uint32_t shard, std::uint64_t number) { drivers_[shard]->durable(number); },
      [this](const Error& error) {
        failed_ = true;
        for (auto& driver : drivers_) driver->writing_failed(error);
      },
      parts_.log.named("committer"));
  for (std::uint32_t i = 0; i < shards; ++i) {
    drivers_.push_back(
        std::make_unique<ShardDriver>(ShardDriver::Parts{.index = i,
                                                         .range = range_of(i, shards),
                                                         .inbox_max = parts_.options.inbox_max,
                                                         .store = parts_.store,
                                                         .blocking = blocking_,
                                                         .clock = *clock_,
                                                         .committer = *committer_,
                                                         .log = parts_.log.named("shard")},
                                      make_shard(i, shards)));
    drivers_.back()->set_invoker(parts_.make_invoker(drivers_.back()->io()));
  }
  for (auto& driver : drivers_) driver->start();
  house_timer_ = std::make_unique<boost::asio::steady_timer>(drivers_.front()->io());
  boost::asio::post(drivers_.front()->io(), [this] { keep_house(); });
  return {};
}

std::unique_ptr<Shard> EngineOnThreads::make_shard(std::uint32_t index, std::size_t shards) {
  const auto& options = parts_.options;
  const PlacementRange range = range_of(index, shards);
  const auto share = [shards](std::uint64_t total) {
    return std::max<std::uint64_t>(1, (total + shards - 1) / shards);
  };
  Gates gates([&options, share](std::string_view participant) {
    const auto own = options.participants.find(std::string(participant));
    const auto& chosen =
        own == options.participants.end() ? options.participant_default : own->second;
    return static_cast<std::uint32_t>(share(chosen.in_flight_max));
  });
  return std::make_unique<Shard>(
      ShardOptions{.placement_first = range.first,
                   .placement_last = range.last,
                   .id_seed = mix64(
                       static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count()) ^
                       (std::uint64_t{index} << 56)),
                   .sagas_max = share(options.active_sagas_max),
                   .waiters_max = share(options.waiters_max),
                   .timer_window = options.timer_window},
      definitions_, std::move(gates),
      [](std::span<const Event> events, Bytes& out) { wire::encode_events(events, out); });
}

ShardDriver& EngineOnThreads::any_driver() {
  for (auto& driver : drivers_) {
    if (driver->io().get_executor().running_in_this_thread()) return *driver;
  }
  return *drivers_[next_driver_.fetch_add(1, std::memory_order_relaxed) % drivers_.size()];
}

template <class T>
InputAnswer EngineOnThreads::typed(Answer<T> answer) {
  return [answer = std::move(answer)](std::variant<Error, SagaAnswer, bool> body) mutable {
    if (auto* error = std::get_if<Error>(&body)) return answer(std::unexpected(std::move(*error)));
    answer(std::move(std::get<T>(body)));
  };
}

void EngineOnThreads::submit(SubmitRequest request, WaitMode mode, Millis timeout,
                             Answer<SagaAnswer> answer) {
  DefinitionPtr definition = request.inline_definition
                                 ? std::move(request.inline_definition)
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
  ShardDriver& driver =
      request.idempotency_key.empty() ? any_driver() : driver_of(hash64(request.idempotency_key));
  const Instant until = add_saturated(clock_->now(), timeout);
  auto make_input = [request = std::move(request), definition = std::move(definition), mode,
                     until](Ticket ticket) mutable -> Input {
    return input::Submit{.ticket = ticket,
                         .definition = std::move(definition),
                         .input = std::move(request.input),
                         .idempotency_key = std::move(request.idempotency_key),
                         .business_key = std::move(request.business_key),
                         .body_hash = request.body_hash,
                         .mode = mode,
                         .wait_until = until};
  };
  InputAnswer tell = typed<SagaAnswer>(std::move(answer));
  if (!driver.post(std::move(make_input), tell)) {
    tell(Error{
        Errc::resource_exhausted,
        "busy: the shard's inbox is full (limit inbox_max); try again later with the same key"});
  }
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

template <class T, class MakeInput>
void EngineOnThreads::ask(SagaRef saga, MakeInput make_input, Answer<T> answer) {
  resolve(std::move(saga), [this, make_input = std::move(make_input),
                            answer = std::move(answer)](Result<SagaId> id) mutable {
    if (!id) return answer(std::unexpected(id.error()));
    InputAnswer tell = typed<T>(std::move(answer));
    auto with_ticket = [make_input = std::move(make_input), id = *id](
                           Ticket ticket) mutable -> Input { return make_input(ticket, id); };
    if (!driver_of(id->placement).post(std::move(with_ticket), tell)) {
      tell(Error{Errc::resource_exhausted, "busy: the shard's inbox is full (limit inbox_max)"});
    }
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

template <class T, class Read>
void EngineOnThreads::read(Read read, Answer<T> answer) {
  blocking_.run([this, read = std::move(read), answer = std::move(answer)]() mutable {
    Result<T> result = read();
    boost::asio::post(any_driver().io(),
                      [result = std::move(result), answer = std::move(answer)]() mutable {
                        answer(std::move(result));
                      });
  });
}

void EngineOnThreads::get(SagaRef saga, Answer<SagaSnapshot> answer) {
  resolve(std::move(saga), [this, answer = std::move(answer)](Result<SagaId> id) mutable {
    if (!id) return answer(std::unexpected(id.error()));
    read<SagaSnapshot>(
        [this, id = *id]() -> Result<SagaSnapshot> {
          auto state = read_saga(parts_.store, id);
          if (!state) return std::unexpected(state.error());
          if (!*state) return fail(Errc::not_found, "there is no saga {}", id.text());
          SagaSnapshot snapshot{.state = std::move(**state), .definition = {}, .owed = {}};
          snapshot.now = clock_->now();
          snapshot.definition = definitions_.of_saga(snapshot.state.definition,
                                                     snapshot.state.version, snapshot.state.source);
          if (snapshot.definition) {
            snapshot.owed = owed(*snapshot.definition, snapshot.state, snapshot.now);
          }
          return snapshot;
        },
        std::move(answer));
  });
}

void EngineOnThreads::history(SagaRef saga, Answer<SagaHistory> answer) {
  resolve(std::move(saga), [this, answer = std::move(answer)](Result<SagaId> id) mutable {
    if (!id) return answer(std::unexpected(id.error()));
    read<SagaHistory>(
        [this, id = *id]() -> Result<SagaHistory> {
          auto found = read_history(parts_.store, id);
          if (!found) return std::unexpected(found.error());
          if (!*found) return fail(Errc::not_found, "there is no saga {}", id.text());
          SagaHistory history{.state = std::move((*found)->state),
                              .definition = {},
                              .events = std::move((*found)->events)};
          history.definition = definitions_.of_saga(history.state.definition, history.state.version,
                                                    history.state.source);
          return history;
        },
        std::move(answer));
  });
}

void EngineOnThreads::list(ListQuery query, Answer<ListPage> answer) {
  query.now = clock_->now();
  read<ListPage>([this, query = std::move(query)] { return parts_.store.list(query); },
                 std::move(answer));
}

void EngineOnThreads::count(CountQuery query, Answer<CountPage> answer) {
  query.now = clock_->now();
  read<CountPage>([this, query = std::move(query)] { return parts_.store.count(query); },
                  std::move(answer));
}

void EngineOnThreads::groups(GroupQuery query, Answer<FailureGroups> answer) {
  query.now = clock_->now();
  read<FailureGroups>([this, query = std::move(query)] { return parts_.store.groups(query); },
                      std::move(answer));
}

Result<void> EngineOnThreads::ready() const {
  if (failed_) return fail(Errc::unavailable, "writing has ended; restart to recover");
  if (draining_) return fail(Errc::unavailable, "draining");
  for (const auto& driver : drivers_) {
    if (!driver->recovered()) return fail(Errc::unavailable, "open sagas are being taken up again");
  }
  return {};
}

std::string EngineOnThreads::metrics() const {
  std::vector<ShardFigures> shards;
  for (const auto& driver : drivers_) shards.push_back(driver->figures());
  const auto counts = parts_.store.count_by_status();
  return metrics_text({.shards = shards,
                       .committer = committer_->figures(),
                       .counts = counts ? *counts : decltype(counts)::value_type{},
                       .wall_jumps = clock_->wall_jumps(),
                       .ready = ready().has_value()});
}

std::vector<boost::asio::io_context*> EngineOnThreads::threads() {
  std::vector<boost::asio::io_context*> result;
  for (auto& driver : drivers_) result.push_back(&driver->io());
  return result;
}

void EngineOnThreads::keep_house() {
  clock_->slew();
  judge_disk();
  for (auto& driver : drivers_) driver->refresh_figures();
  if (++house_rounds_ % kKeysEvery == 0) sweep_keys();
  upkeep_->sweep(clock_->now());
  house_timer_->expires_after(kHousekeepingEvery);
  house_timer_->async_wait([this](const boost::system::error_code& ec) {
    if (!ec) keep_house();
  });
}

void EngineOnThreads::judge_disk() {
  blocking_.run([this] {
    const auto available = parts_.store.bytes_available();
    const bool low = available && *available < parts_.options.disk_reserve_bytes;
    if (low == disk_low_ || draining_) return;
    disk_low_ = low;
    std::optional<Error> closed;
    if (low) {
      closed = Error{
          Errc::resource_exhausted,
          fmt::format("disk: {} bytes are left, below disk_reserve_bytes={}; open sagas go on",
                      *available, parts_.options.disk_reserve_bytes)};
      parts_.log.named("runtime").error("submissions are refused: {}", closed->message);
    }
    for (auto& driver : drivers_) driver->post(input::Admission{.closed = closed});
  });
}

void EngineOnThreads::sweep_keys() {
  blocking_.run([this] {
    const Instant before = clock_->now() - parts_.options.key_retention;
    for (std::uint32_t i = 0; i < drivers_.size(); ++i) {
      auto rows = parts_.store.expired_keys(range_of(i, drivers_.size()), before, kKeysPerSweep);
      if (rows && !rows->empty()) drivers_[i]->post(input::ExpireKeys{.rows = std::move(*rows)});
    }
  });
}

void EngineOnThreads::check_store(Answer<CheckReport> answer) {
  read<CheckReport>([this] { return upkeep_->check(); }, std::move(answer));
}

void EngineOnThreads::back_up(std::string directory, Answer<CheckReport> answer) {
  read<CheckReport>([this, to = std::move(directory)] { return upkeep_->back_up(to); },
                    std::move(answer));
}

void EngineOnThreads::drain(Millis grace) {
  if (stopped_ || draining_.exchange(true)) return;
  const Error told{
      Errc::unavailable,
      "draining: this server is stopping; ask again with the same key after the restart"};
  for (auto& driver : drivers_) driver->post(input::Admission{.closed = told, .draining = true});
  const auto in_flight = [this] {
    return std::ranges::any_of(drivers_,
                               [](const auto& driver) { return driver->in_flight() > 0; });
  };
  const auto until = parts_.clock.steady() + grace;
  while (in_flight() && parts_.clock.steady() < until) std::this_thread::sleep_for(kDrainPoll);
  for (auto& driver : drivers_) driver->barrier();  // the last answers are written
  committer_->stop();
  for (auto& driver : drivers_) driver->barrier();  // and given
  for (auto& driver : drivers_) driver->writing_failed(told);
  for (auto& driver : drivers_) driver->barrier();
  stop_threads();
}

void EngineOnThreads::stop_threads() {
  if (std::exchange(stopped_, true)) return;
  // Inputs first, then what they wrote, then the threads that would be told.
  if (committer_) committer_->stop();
  for (auto& driver : drivers_) driver->stop();
  if (upkeep_) upkeep_->stop();
  blocking_.stop();
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(EngineParts parts) {
  auto engine = std::make_unique<EngineOnThreads>(std::move(parts));
  if (auto opened = engine->open(); !opened) return std::unexpected(opened.error());
  return engine;
}

}  // namespace skald
