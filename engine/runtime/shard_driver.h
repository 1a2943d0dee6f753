// The only loop that honours Ready: one thread, one io_context, one shard. Feeds it inputs, loads
// what it asks for, persists before it sends, and keeps the callers' answers until then.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/base/log.h"
#include "engine/runtime/alert_log.h"
#include "engine/runtime/committer.h"
#include "engine/runtime/engine_clock.h"
#include "engine/runtime/invoker.h"
#include "engine/shard/shard.h"
#include "engine/store/store.h"

namespace skald {

/// Called once with the answer to an input, on the driver's thread.
using InputAnswer = std::move_only_function<void(std::variant<Error, SagaAnswer, bool>)>;

struct ShardFigures {
  ShardCounters counters;
  std::size_t resident = 0;
  std::size_t waiters = 0;
  std::size_t inbox = 0;
  std::vector<Gates::Load> participants;
  std::vector<StepFigures> steps;
};

/// Thread: post(), figures() and recovered() from any thread; the rest as said.
class ShardDriver {
 public:
  struct Parts {
    std::uint32_t index = 0;
    PlacementRange range;
    std::size_t inbox_max = 65'536;
    std::uint32_t input_bytes_max = 1 << 20;
    Store& store;
    BlockingPool& blocking;
    EngineClock& clock;
    Committer& committer;
    std::function<void(Alert)> take_alert;  // durable, and in the outbox
    Logger log;
  };

  /// `door`: the shard's.
  ShardDriver(Parts parts, std::unique_ptr<ShardDoor> door, std::unique_ptr<Shard> shard);
  ~ShardDriver();
  ShardDriver(const ShardDriver&) = delete;
  ShardDriver& operator=(const ShardDriver&) = delete;

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] ShardDoor& door() { return *door_; }
  /// Before start().
  void set_invoker(std::unique_ptr<Invoker> invoker) { invoker_ = std::move(invoker); }
  /// Starts the thread and recovery.
  void start();
  /// Ends the thread; what was not persisted is lost, as in a crash. Thread: not the driver's.
  void stop();

  /// Queues an input that carries a ticket; make_input gets the ticket. False: the inbox is full,
  /// and `answer` was not taken.
  [[nodiscard]] bool post(std::move_only_function<Input(Ticket)> make_input, InputAnswer& answer);
  /// Likewise, of a submission; `key`: hash64() of its idempotency key, where it has one.
  [[nodiscard]] bool post_submission(std::optional<std::uint64_t> key,
                                     std::move_only_function<Input(Ticket)> make_input,
                                     InputAnswer& answer);
  /// Queues an input that nobody waits for; never refused.
  void post(Input input);

  /// Returns when everything queued before it has been taken. Thread: not the driver's.
  void barrier();

  /// From the committer.
  void durable(std::uint64_t number);
  void writing_failed(const Error& error);

  [[nodiscard]] bool recovered() const { return recovered_.load(std::memory_order_acquire); }
  /// Attempts that are out and not answered yet.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }
  [[nodiscard]] ShardFigures figures() const;
  /// Copies the figures again, so that an idle shard does not show its last busy moment for ever.
  void refresh_figures();

 private:
  struct Posted {
    std::move_only_function<Input(Ticket)> make_input;  // with `answer`
    InputAnswer answer;
    std::optional<Input> input;  // without
    bool submission = false;
    std::optional<std::uint64_t> key;  // of a submission
  };
  struct Held {
    std::uint64_t number = 0;
    std::vector<Invocation> calls;
    std::vector<ShardAnswer> answers;
    std::vector<Alert> alerts;
  };

  void enqueue(Posted posted);
  void drain();
  void take_all();
  void take(Posted& posted);
  void honour(Ready ready);
  void release_durable();
  void invoke(Invocation call);
  void give(ShardAnswer answer);
  void run_loads(std::vector<Load> wanted);
  void run_load(load::Key load);
  void run_load(std::vector<SagaId> sagas);
  void run_load(load::Timers load);
  void arm(Instant wake_at);
  void recover_next_page();
  void recovered_page(std::vector<SagaId> page);
  void tell_recovery(bool finished);
  void publish_figures();

  Parts parts_;
  std::unique_ptr<ShardDoor> door_;
  std::unique_ptr<Shard> shard_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<Invoker> invoker_;
  std::jthread thread_;

  // The driver's thread only.
  std::vector<Posted> local_;
  std::vector<Posted> taken_;  // by drain(), for its buffer
  std::unordered_map<Ticket, InputAnswer> answers_;
  Ticket last_ticket_ = 0;
  std::deque<Held> held_;
  std::uint64_t durable_ = 0;
  Instant armed_ = kNever;
  Instant participants_published_{};
  bool drain_posted_ = false;
  bool failed_ = false;
  std::size_t loads_ = 0;
  bool page_wanted_ = false;
  std::optional<SagaId> recovered_up_to_;
  std::size_t recovered_count_ = 0;
  std::chrono::steady_clock::time_point recovery_began_;
  std::chrono::steady_clock::time_point recovery_told_;

  AlertLog alert_log_;

  std::atomic<bool> recovered_{false};
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> queued_{0};
  std::atomic<std::uint64_t> durable_seen_{0};

  mutable std::mutex mutex_;
  std::vector<Posted> remote_;  // from other threads
  ShardFigures figures_;
};

}  // namespace skald
