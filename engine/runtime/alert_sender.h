// AlertSender: the port through which the runtime tells webhooks. Implemented in transport/.
#pragma once

#include <functional>
#include <string>

#include "engine/runtime/outbox_queue.h"
#include "engine/shard/alert.h"

namespace skald {

class AlertSender {
 public:
  virtual ~AlertSender() = default;
  /// One attempt; calls `done` exactly once, within a bounded time, never from inside send(). The
  /// same alert is the same event, whenever it is sent. Thread: one, that of its io_context.
  virtual void send(const std::string& target, const Alert& alert,
                    std::move_only_function<void(AlertReceipt)> done) = 0;
};

}  // namespace skald
