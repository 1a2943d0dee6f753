#include "engine/server/signals.h"

#include <signal.h>
#include <unistd.h>

#include <ctime>

#include "engine/server/exit_codes.h"

namespace skald::server {
namespace {

sigset_t termination_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

TerminationSignals::TerminationSignals() {
  const sigset_t set = termination_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that closes early is an error of that write, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
}

int TerminationSignals::wait() {
  const sigset_t set = termination_set();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number;
}

void TerminationSignals::stop_at_next() {
  watcher_ = std::jthread([](const std::stop_token& stop) {
    constexpr timespec kLook{.tv_sec = 0,
                             .tv_nsec = 100'000'000};  // how often it sees that it may end
    const sigset_t set = termination_set();
    while (!stop.stop_requested()) {
      const int number = sigtimedwait(&set, nullptr, &kLook);
      if (number > 0) _exit(kSignaled + number);
    }
  });
}

}  // namespace skald::server
