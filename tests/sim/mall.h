// The simulated mall: cart, product, inventory, promotion and order as the participants of the
// shipped sagas. The rules are the real ones (participants/*/model.h), once-only by the real
// barrier; the tables are plain, so that the auditor can read them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "participants/cart/model.h"
#include "participants/inventory/model.h"
#include "participants/kit/row_store.h"
#include "participants/order/model.h"
#include "participants/product/model.h"
#include "participants/promotion/model.h"
#include "tests/sim/participants.h"

namespace skald::sim {

/// The shipped sagas, built once.
[[nodiscard]] const std::vector<DefinitionPtr>& mall_definitions();

/// One submission to the mall.
struct MallOrder {
  std::string definition;
  std::string key;
  std::string business_key;
  Bytes input;
  Millis later{0};  // after its time: a cancellation follows its order
  /// The submission whose client must know its end first. The chain as documented shows its order
  /// as unpaid before it is decided: who cancels it then releases a coupon that is used afterwards.
  std::optional<std::size_t> after;
};

struct MallTables {
  using UserAndCoupon = std::pair<std::int64_t, std::int64_t>;
  std::map<std::int64_t, mall::inventory::Stock> stock;
  std::map<std::int64_t, mall::product::Sku> skus;
  std::map<std::int64_t, mall::product::Product> products;
  std::map<std::int64_t, mall::promotion::Coupon> coupons;
  std::map<UserAndCoupon, mall::promotion::CouponRecord> records;
  std::map<std::pair<std::int64_t, std::int64_t>, mall::cart::CartLine> carts;  // user, SKU
  std::map<std::string, mall::order::Order> orders;
};

/// The barrier's rows: never lost, one thread.
class MemoryRows final : public kit::RowStore {
 public:
  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<std::vector<kit::Row>> scan(const kit::RowRange& range) override;
  Result<void> write(const kit::RowChanges& changes) override;

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

class Mall {
 public:
  explicit Mall(std::uint64_t seed);

  [[nodiscard]] static bool serves(const Method& method);
  /// A participant by chance, of the mall or of random definitions: who has an outage.
  [[nodiscard]] static std::string participant(std::uint64_t salt);

  ParticipantAnswer execute(const Request& request, Instant wall);

  /// A new order of a user with a cart, or the cancellation of an earlier one.
  MallOrder plan_order(Random& random, std::size_t index);
  // What the mall's customers and staff do meanwhile.
  void edit_cart(Random& random);
  void change_price(Random& random);
  void pay_order(Random& random, Instant wall);

  [[nodiscard]] const MallTables& tables() const { return tables_; }

 private:
  Result<Bytes> query(const Request& request, Instant wall) const;
  Result<Bytes> effect(const Request& request, Instant wall);
  std::int64_t new_user(Random& random);

  MallTables tables_;
  MemoryRows rows_;
  std::int64_t users_ = 0;
  struct Planned {
    std::string number;
    std::string definition;
    std::int64_t user = 0;
    std::size_t index = 0;
  };
  std::vector<Planned> planned_;
};

}  // namespace skald::sim
