// EngineOnThreads: the one Engine there is, private to runtime. Its calls are in engine.cc, its
// reads in engine_reads.cc, holds in engine_holds.cc, alerts in engine_alerts.cc, and what goes on
// by itself in engine_house.cc.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/runtime/committer.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/engine_clock.h"
#include "engine/runtime/inline_definitions.h"
#include "engine/runtime/placement.h"
#include "engine/runtime/shard_driver.h"
#include "engine/runtime/upkeep.h"

namespace skald {

inline constexpr std::uint32_t kBlockingThreads = 4;
/// The disk is judged each time so many parts of the reserve have been written, too.
inline constexpr std::size_t kLooksPerReserve = 64;

class EngineOnThreads final : public Engine {
 public:
  explicit EngineOnThreads(EngineParts parts)
      : parts_(std::move(parts)),
        definitions_(parts_.definitions, shared_reader(inline_, parts_.read_inline)),
        blocking_(kBlockingThreads) {}

  ~EngineOnThreads() override { stop_threads(); }

  Result<void> open();

  void submit(SubmitRequest request, WaitMode mode, Millis timeout,
              Answer<SagaAnswer> answer) override;
  std::optional<Error> refuse_at_once(std::string_view idempotency_key) override;
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

  std::vector<ParticipantFigures> participants() const override;
  void hold(ParticipantHold hold, Answer<ParticipantHold> answer) override;
  void release(std::string participant, std::string path, Answer<ParticipantHold> answer) override;
  std::vector<AlertTargetFigures> alert_targets() const override;
  void test_alert(std::string target, Answer<AlertReceipt> answer) override;
  void act(SagaRef saga, command::Act act, std::uint64_t expected_seq,
           Answer<SagaAnswer> answer) override;
  void write_notes(std::vector<Note> notes, std::optional<Alert> alert,
                   Answer<bool> answer) override;
  void notes(std::string prefix, Answer<std::vector<Note>> answer) override;

  std::vector<DefinitionPtr> definitions() const override { return definitions_.all(); }
  DefinitionPtr find_definition(std::string_view name, std::uint32_t version) const override {
    return definitions_.find(name, version);
  }
  Result<void> ready() const override;
  EngineStats stats() const override;
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

  /// Tells what no saga tells: a batch has finished (AlertKind::batch_finished, `subject` its name,
  /// `text` a sentence). `notes` are written with it, so that neither is there without the other.
  void tell(Alert alert, std::vector<Note> notes, std::uint32_t targets,
            std::move_only_function<void(Result<bool>)> written);
  Result<void> open_outbox();

  std::unique_ptr<ShardDriver> make_driver(std::uint32_t index, std::size_t shards);
  void keep_house();
  void judge_disk();
  void look_at_disk();
  void sweep_keys();
  void look_at_stuck();
  [[nodiscard]] std::vector<ShardFigures> shard_figures() const;
  [[nodiscard]] EngineTotals totals(const ShardCounters& counters) const;
  void stop_threads();

  EngineParts parts_;
  InlineDefinitions inline_;
  DefinitionTable definitions_;
  HoldBook holds_;
  BlockingPool blocking_;
  std::unique_ptr<EngineClock> clock_;
  std::vector<std::unique_ptr<ShardDriver>> drivers_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<boost::asio::steady_timer> house_timer_;
  std::uint32_t house_rounds_ = 0;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<Outbox> outbox_;       // with targets
  std::atomic<std::uint64_t> tests_{0};  // of alerts
  std::atomic<bool> judging_disk_{false};
  bool disk_low_ = false;                        // of whoever judges
  std::atomic<std::int64_t> stuck_since_ms_{0};  // of the saga that is stuck longest; 0: none
  Instant started_at_{};
  mutable std::mutex rates_mutex_;
  RateWindow rates_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint32_t> next_driver_{0};
  bool stopped_ = false;
};

template <class T>
InputAnswer EngineOnThreads::typed(Answer<T> answer) {
  return [answer = std::move(answer)](std::variant<Error, SagaAnswer, bool> body) mutable {
    if (auto* error = std::get_if<Error>(&body)) return answer(std::unexpected(std::move(*error)));
    answer(std::move(std::get<T>(body)));
  };
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
      tell(inbox_is_full());
    }
  });
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

}  // namespace skald
