// The mall's order API: takes orders and cancellations, gives them their number, submits their saga
// and says what became of them. It decides nothing about an order: sagas do (sagas/), and the order
// service keeps it.
//
//   POST /api/v1/order/create   {user_id, sku_ids, coupon_id?, address}
//   POST /api/v1/order/cancel   {user_id, order_id}
//   GET  /api/v1/order/list?user_id=N[&limit=N][&before=ORDER]
//   GET  /api/v1/order/ORDER
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/time.h"
#include "engine/net/http_server.h"
#include "mall/order.pb.h"
#include "participants/kit/txn_runner.h"
#include "participants/order_front/admission.h"
#include "participants/order_front/outcome.h"
#include "participants/order_front/reply.h"
#include "participants/order_front/tickets.h"
#include "participants/order_front/upstream.h"

namespace skald::mall::order_front {

struct FrontOptions {
  std::string definition = "create_order";  // or "create_order_chain", as documented
  std::string cancel_definition = "cancel_order";
  std::int32_t worker = 0;       // of the order numbers; no other process may have it
  Millis patience{3'000};        // how long a caller waits for the decision
  Millis clock_back_max{5'000};  // a clock further back than this answers unavailable
  /// A ticket older than this is not submitted again: the engine may have forgotten its key, and a
  /// second saga would take stock twice. Shorter than the engine's key retention (7 days).
  Millis resubmit_max = std::chrono::hours(24);
};

struct FrontPorts {
  Upstream engine;
  Upstream orders;
  /// Runs the function on the front's thread after the time has passed. Thread: any.
  std::function<void(Millis, std::move_only_function<void()>)> later;
  std::function<std::string()> new_key;  // for requests that bring none; never the same twice
};

/// Thread: handle() and the upstreams' answers on one thread.
class Front {
 public:
  /// `rows` (the tickets) and the clock outlive the front; so does what the ports stand on.
  Front(FrontOptions options, FrontPorts ports, kit::RowStore& rows, const Clock& clock);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  void handle(HttpRequest request, HttpResponder respond);
  /// Ends readiness; requests are still served. Thread: any.
  void retire() { retired_ = true; }

 private:
  struct Create;
  struct Taken;

  void create(HttpRequest request, HttpResponder respond);
  void take(const std::shared_ptr<Create>& order);
  void ticket_taken(const std::shared_ptr<Create>& order, Taken taken);
  void submit(const std::shared_ptr<Create>& order);
  void recall(const std::shared_ptr<Create>& order);
  void cancel(HttpRequest request, HttpResponder respond);
  void show(std::string order_id, HttpResponder respond);
  void show_saga(std::string order_id, std::optional<::order::Order> order, HttpResponder respond);
  void list(std::string_view query, HttpResponder respond);
  [[nodiscard]] HttpResponse health(std::string_view path) const;

  const FrontOptions options_;
  const FrontPorts ports_;
  std::atomic<bool> retired_ = false;
  kit::TxnRunner runner_;  // last: its thread uses all of the above
};

}  // namespace skald::mall::order_front
