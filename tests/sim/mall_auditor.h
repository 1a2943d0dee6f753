// The mall's oracles: I4 to I7, and what must be true of every order when all has come to rest.
// Books of its own, kept from what participants did; tables are only compared with them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/auditor.h"
#include "tests/sim/mall.h"

namespace skald::sim {

class MallAuditor {
 public:
  MallAuditor(const Mall& mall, const Auditor& sagas, Auditor::Wrong wrong)
      : mall_(mall), sagas_(sagas), wrong_(std::move(wrong)) {}

  /// After the participant has acted.
  void executed(const Request& request, const ParticipantAnswer& answer);
  void at_rest();

 private:
  /// What has been done for one order, by whichever saga.
  struct OrderBook {
    std::map<std::int64_t, std::int64_t> held;  // SKU -> units deducted and not returned
    int coupons = 0;                            // used and not released
  };
  /// How the sagas about one order ended.
  struct Fate {
    const KnownSaga* created = nullptr;
    bool cancelled = false;
  };

  void wrong(std::string what) { wrong_(std::move(what)); }
  void took_stock(const Request& request, std::int64_t sign);
  void check_stock(std::int64_t sku);
  std::map<std::string, Fate> fates();
  void check_order(const std::string& number, const Fate& fate);
  void check_terms(const mall::order::Order& order, const KnownSaga& created);
  void check_history(const mall::order::Order& order);
  void check_locked();
  void check_coupons(const std::map<std::string, Fate>& fates);
  [[nodiscard]] std::string order_of(const SagaId& saga) const;

  const Mall& mall_;
  const Auditor& sagas_;
  Auditor::Wrong wrong_;
  std::map<std::int64_t, std::int64_t> outstanding_;  // SKU -> units
  std::map<std::string, OrderBook> orders_;           // by order number
  std::map<SagaId, std::vector<Bytes>> carts_shown_;
  std::map<SagaId, int> carts_cleared_;
};

}  // namespace skald::sim
