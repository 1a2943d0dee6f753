// SIGTERM and SIGINT: the first drains, the second stops at once.
#pragma once

#include <thread>

namespace skald::server {

/// Make it before any other thread is started, so that all of them inherit the blocked signals.
class TerminationSignals {
 public:
  TerminationSignals();
  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  /// Blocks until the first signal; returns its number.
  int wait();
  /// From now on another signal ends the process at once, as the signal itself would have.
  void stop_at_next();

 private:
  std::jthread watcher_;
};

}  // namespace skald::server
