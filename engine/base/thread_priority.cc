#include "engine/base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace skald {

void step_back(int nice) {
  const auto thread = static_cast<id_t>(::gettid());  // on Linux a thread has one of its own
  if (::getpriority(PRIO_PROCESS, thread) >= nice) return;
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, nice));
}

}  // namespace skald
