// One asio timer for a heap of deadlines. It is armed only while the heap holds one, so an idle
// program is not woken. Private to net: it includes asio.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "engine/net/deadline_heap.h"

namespace skald {

/// Calls `on_due(node)` for each deadline that passes.
/// Thread: the io_context's; on_due may set, clear and remove deadlines, its own included.
class DeadlineTimer {
 public:
  using OnDue = std::function<void(DeadlineNode&)>;

  DeadlineTimer(boost::asio::io_context& io, OnDue on_due)
      : state_(std::make_shared<State>(io, std::move(on_due))) {}
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;
  ~DeadlineTimer() {
    state_->live = false;
    state_->timer.cancel();
  }

  void set(DeadlineNode& node, SteadyTime due) {
    state_->heap.set(node, due);
    arm(state_);
  }
  void clear(DeadlineNode& node) { state_->heap.clear(node); }
  void remove(DeadlineNode& node) { state_->heap.remove(node); }

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;
  struct State {
    State(boost::asio::io_context& io, OnDue on_due_call)
        : timer(io), on_due(std::move(on_due_call)) {}
    Timer timer;
    DeadlineHeap heap;
    OnDue on_due;
    SteadyTime armed_for = SteadyTime::max();
    bool live = true;
  };

  // The waiting handler shares the state: it may already be queued when the owner goes.
  static void arm(const std::shared_ptr<State>& state) {
    const SteadyTime next = state->heap.next();
    if (next >= state->armed_for) return;
    state->armed_for = next;
    state->timer.expires_at(next);
    state->timer.async_wait([state](const boost::system::error_code& error) {
      if (error || !state->live) return;
      state->armed_for = SteadyTime::max();
      const SteadyTime now = std::chrono::steady_clock::now();
      while (DeadlineNode* node = state->heap.take_due(now)) {
        state->on_due(*node);
        if (!state->live) return;
      }
      arm(state);
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace skald
