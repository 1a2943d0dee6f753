// Outbox: delivers what the shards have put into their outbox. A note is there, durable, before
// anybody is told, and goes when it has arrived or was given up: after a crash it is told again,
// with the same id.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/runtime/alert_sender.h"
#include "engine/runtime/engine_clock.h"
#include "engine/runtime/outbox_queue.h"
#include "engine/store/store.h"

namespace skald {

struct AlertTargetFigures {
  AlertTarget target;
  OutboxQueue::Figures queue;
};

/// Thread: any, but load(); what is private runs on the io_context's.
class Outbox {
 public:
  /// All but the functions outlive it.
  struct Parts {
    boost::asio::io_context& io;
    EngineClock& clock;
    std::vector<AlertTarget> targets;
    OutboxPolicy policy;
    std::unique_ptr<AlertSender> sender;
    /// The note of this alert has served.
    std::function<void(const Alert& alert, std::string note)> remove;
    Logger log;
  };
  explicit Outbox(Parts parts);
  /// After the io_context's thread has ended.
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// What an earlier run left; `found` is told of each note that stays for now. What is for a
  /// webhook that is not configured any more waits for it until its time is over. Before the
  /// io_context runs. Errors: the store's.
  [[nodiscard]] Result<void> load(Store& store, const std::function<void(const SagaId& id)>& found);
  /// A durable alert, for the targets it is kept for.
  void take(Alert alert);
  /// Calls `told` once with what becomes of the first attempt of the alert about `subject`.
  void expect(std::string subject, std::move_only_function<void(Result<AlertReceipt>)> told);
  /// Who waits for that is told `error`.
  void forget(const std::string& subject, const Error& error);
  /// Nothing more is sent.
  void stop();

  [[nodiscard]] std::vector<AlertTargetFigures> figures() const;

 private:
  void send_what_is_due();
  void answered(std::size_t place, std::uint64_t number, const Alert& alert,
                const AlertReceipt& receipt);
  void arm();

  Parts parts_;
  boost::asio::steady_timer timer_;
  Instant armed_ = kNever;
  bool stopped_ = false;

  mutable std::mutex mutex_;
  std::vector<OutboxQueue> queues_;  // by place of the target
  std::map<std::string, std::move_only_function<void(Result<AlertReceipt>)>> expected_;
};

}  // namespace skald
