#include "engine/runtime/shard_driver.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <future>

#include "engine/base/check.h"

namespace skald {
namespace {

constexpr std::size_t kInputsKept = 1'024;  // room kept in a buffer of inputs
constexpr Millis kParticipantsEvery{200};   // how often their figures are copied

}  // namespace

ShardDriver::ShardDriver(Parts parts, std::unique_ptr<ShardDoor> door, std::unique_ptr<Shard> shard)
    : parts_(std::move(parts)),
      door_(std::move(door)),
      shard_(std::move(shard)),
      work_(boost::asio::make_work_guard(io_)),
      timer_(io_) {}

ShardDriver::~ShardDriver() { stop(); }

void ShardDriver::start() {
  thread_ = std::jthread([this] {
    ::pthread_setname_np(::pthread_self(), fmt::format("skald-shard-{}", parts_.index).c_str());
    io_.run();
  });
  boost::asio::post(io_, [this] {
    post(input::Tick{});  // asks for the first window of timers
    recovery_began_ = recovery_told_ = std::chrono::steady_clock::now();
    recover_next_page();
  });
}

void ShardDriver::stop() {
  work_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
  invoker_.reset();
}

bool ShardDriver::post(std::move_only_function<Input(Ticket)> make_input, InputAnswer& answer) {
  if (queued_.load(std::memory_order_relaxed) >= parts_.inbox_max) return false;
  enqueue({.make_input = std::move(make_input), .answer = std::move(answer), .input = {}});
  return true;
}

bool ShardDriver::post_submission(std::optional<std::uint64_t> key,
                                  std::move_only_function<Input(Ticket)> make_input,
                                  InputAnswer& answer) {
  if (queued_.load(std::memory_order_relaxed) >= parts_.inbox_max) return false;
  door_->comes(key);
  enqueue({.make_input = std::move(make_input),
           .answer = std::move(answer),
           .input = {},
           .submission = true,
           .key = key});
  return true;
}

void ShardDriver::post(Input input) {
  enqueue({.make_input = {}, .answer = {}, .input = std::move(input)});
}

void ShardDriver::barrier() {
  std::promise<void> passed;
  // Two hops: an input queued by a handler before us posts its own drain.
  boost::asio::post(io_, [this, &passed] {
    boost::asio::post(io_, [this, &passed] {
      drain();
      passed.set_value();
    });
  });
  passed.get_future().wait();
}

void ShardDriver::enqueue(Posted posted) {
  queued_.fetch_add(1, std::memory_order_relaxed);
  if (io_.get_executor().running_in_this_thread()) {
    local_.push_back(std::move(posted));
    if (std::exchange(drain_posted_, true)) return;
    boost::asio::post(io_, [this] { drain(); });
    return;
  }
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = remote_.empty();
    remote_.push_back(std::move(posted));
  }
  if (first) boost::asio::post(io_, [this] { drain(); });
}

void ShardDriver::drain() {
  drain_posted_ = false;
  {
    const std::lock_guard lock(mutex_);
    taken_.swap(remote_);
  }
  take_all();
  taken_.swap(local_);
  take_all();
  honour(shard_->ready());
  publish_figures();
}

void ShardDriver::take_all() {
  for (Posted& posted : taken_) take(posted);
  taken_.clear();
  if (taken_.capacity() > kInputsKept) taken_ = std::vector<Posted>();
}

void ShardDriver::take(Posted& posted) {
  queued_.fetch_sub(1, std::memory_order_relaxed);
  if (posted.input) return shard_->step(parts_.clock.now(), std::move(*posted.input));
  const Ticket ticket = ++last_ticket_;
  answers_.emplace(ticket, std::move(posted.answer));
  shard_->step(parts_.clock.now(), posted.make_input(ticket));
  if (posted.submission) door_->came(posted.key);
}

void ShardDriver::honour(Ready ready) {
  for (Invocation& query : ready.queries) invoke(std::move(query));
  if (ready.has_writes()) {
    SKALD_CHECK(!failed_, "shard={}", parts_.index);
    parts_.committer.push(parts_.index, ready.number, parts_.clock.now(),
                          std::move(ready.transitions), std::move(ready.keys_removed),
                          std::move(ready.notes), std::move(ready.sagas_removed));
  }
  if (!ready.calls.empty() || !ready.answers.empty() || !ready.alerts.empty()) {
    held_.push_back({.number = failed_ ? 0 : ready.number,
                     .calls = std::move(ready.calls),
                     .answers = std::move(ready.answers),
                     .alerts = std::move(ready.alerts)});
  }
  release_durable();
  run_loads(std::move(ready.loads));
  arm(ready.wake_at);
}

void ShardDriver::release_durable() {
  while (!held_.empty() && held_.front().number <= durable_) {
    Held held = std::move(held_.front());
    held_.pop_front();
    for (Invocation& call : held.calls) invoke(std::move(call));
    for (ShardAnswer& answer : held.answers) give(std::move(answer));
    for (Alert& alert : held.alerts) {
      alert_log_.tell(parts_.log, alert, parts_.clock.now());
      if (alert.kept_for != 0) parts_.take_alert(std::move(alert));
    }
  }
}

void ShardDriver::durable(std::uint64_t number) {
  // Several commits may pass before the thread looks: it needs only the newest.
  if (durable_seen_.exchange(number, std::memory_order_acq_rel) != 0) return;
  boost::asio::post(io_, [this] {
    durable_ = durable_seen_.exchange(0, std::memory_order_acq_rel);
    if (failed_) return;
    shard_->advance(durable_);
    release_durable();
  });
}

void ShardDriver::writing_failed(const Error& error) {
  boost::asio::post(io_, [this, error] {
    failed_ = true;
    const Error told{
        Errc::unavailable,
        fmt::format("writing has ended ({}): the outcome is unknown; repeat with the same "
                    "key after the restart",
                    error.message)};
    // What was not durable is neither sent nor answered as done.
    std::deque<Held> held = std::move(held_);
    held_.clear();
    shard_->fail(parts_.clock.now(), told);
    for (Held& lost : held) {
      for (ShardAnswer& answer : lost.answers) {
        answer.body = told;
        give(std::move(answer));
      }
    }
    honour(shard_->ready());
  });
}

void ShardDriver::invoke(Invocation call) {
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  input::Reply reply{.saga = call.saga_id,
                     .leg = call.ref,
                     .operation = call.operation,
                     .attempt = call.attempt,
                     .lane = call.lane,
                     .outcome = {},
                     .response = {}};
  invoker_->invoke(
      std::move(call), [this, reply = std::move(reply),
                        sent = std::chrono::steady_clock::now()](InvocationResult result) mutable {
        reply.took = std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - sent);
        in_flight_.fetch_sub(1, std::memory_order_release);
        reply.outcome = std::move(result.outcome);
        reply.response = std::move(result.response);
        post(std::move(reply));
      });
}

void ShardDriver::give(ShardAnswer answer) {
  const auto found = answers_.find(answer.ticket);
  if (found == answers_.end()) return;
  InputAnswer tell = std::move(found->second);
  answers_.erase(found);
  tell(std::move(answer.body));
}

void ShardDriver::arm(Instant wake_at) {
  if (wake_at == armed_) return;
  armed_ = wake_at;
  if (wake_at == kNever) {
    timer_.cancel();
    return;
  }
  const Millis delay = std::max(Millis{0}, wake_at - parts_.clock.now());
  timer_.expires_after(delay);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec) return;
    armed_ = kNever;
    post(input::Tick{});
  });
}

void ShardDriver::publish_figures() {
  const std::lock_guard lock(mutex_);
  figures_.counters = shard_->counters();
  figures_.counters.refused += door_->refusals();
  figures_.resident = shard_->resident();
  figures_.waiters = shard_->waiters();
  figures_.inbox = queued_.load(std::memory_order_relaxed);
  const Instant now = parts_.clock.now();
  if (now - participants_published_ < kParticipantsEvery) return;
  participants_published_ = now;
  figures_.participants = shard_->gates().loads();
  figures_.steps = shard_->steps().all();
}

void ShardDriver::refresh_figures() {
  boost::asio::post(io_, [this] { publish_figures(); });
}

ShardFigures ShardDriver::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace skald
