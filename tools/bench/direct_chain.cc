#include "tools/bench/direct_chain.h"

#include <boost/asio/io_context.hpp>
#include <utility>

#include "engine/wire/connect.h"
#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/order.pb.h"
#include "mall/product.pb.h"
#include "mall/promotion.pb.h"

namespace skald::bench {
namespace {

constexpr Millis kCallTimeout{10'000};

enum class Call : std::uint8_t {
  cart,
  prices,
  discount,
  deduct,  // once for each SKU
  write_order,
  use_coupon,
  open_order,
  clear_cart,
  first_branch,
  second_branch,
};

std::vector<Call> calls_of(Chain chain) {
  using enum Call;
  switch (chain) {
    case Chain::eight_calls:
      return {cart, discount, deduct, write_order, use_coupon, clear_cart};
    case Chain::create_order:
      return {cart, prices, discount, write_order, deduct, use_coupon, open_order, clear_cart};
    case Chain::two_branches:
      return {first_branch, second_branch};
  }
  return {};
}

class DirectChain;

/// One order on its way.
class DirectOrder {
 public:
  DirectOrder(DirectChain& chain, const Order& order, OrderTaker::Done done)
      : chain_(chain), order_(order), asked_(order_request(order)), done_(std::move(done)) {}

  void go_on();

 private:
  void answered(const HttpResponse& response);
  void deducted(bool ok);
  void give_back();
  void read_cart(const HttpResponse& response);
  void post(std::string_view target, std::string body);
  template <class Message>
  void post(std::string_view target, const Message& message) {
    post(target, message.SerializeAsString());
  }
  void post_discount();
  void post_order();
  void post_clear();
  void end(Ending ending);

  DirectChain& chain_;
  Order order_;
  ::mall::sagas::CreateOrderRequest asked_;
  OrderTaker::Done done_;
  std::size_t step_ = 0;
  int sku_ = 0;  // the next to deduct
  std::vector<int> taken_;
  bool undoing_ = false;
  bool written_ = false;
  cart::GetCartItemsResponse cart_;
  std::int64_t total_cents_ = 0;
  std::int64_t discount_cents_ = 0;
};

class DirectChain final : public OrderTaker {
 public:
  DirectChain(boost::asio::io_context& io, HttpEndpoint mall, Chain chain, std::uint64_t run)
      : client(
            HttpClient::create(io, {.idle_timeout = Millis{600'000}, .idle_per_host_max = 4'096})),
        endpoint(std::move(mall)),
        calls(calls_of(chain)),
        run_number(run) {}

  void place(const Order& order, Done done) override {
    (new DirectOrder(*this, order, std::move(done)))->go_on();  // deletes itself at its end
  }

  std::unique_ptr<HttpClient> client;
  const HttpEndpoint endpoint;
  const std::vector<Call> calls;
  const std::uint64_t run_number;
};

void DirectOrder::post(std::string_view target, std::string body) {
  const bool branch = target.starts_with("/branch/");
  HttpRequest request = wire::connect_request(
      target, branch ? wire::ConnectCodec::json : wire::ConnectCodec::proto, std::move(body));
  chain_.client->call(chain_.endpoint, std::move(request), kCallTimeout, [this](Exchange exchange) {
    if (exchange.end != ExchangeEnd::answered) return end(Ending::failed);
    answered(exchange.response);
  });
}

void DirectOrder::go_on() {
  if (step_ == chain_.calls.size()) return end(Ending::completed);
  switch (chain_.calls[step_]) {
    case Call::cart: {
      cart::GetCartItemsRequest request;
      request.set_user_id(asked_.user_id());
      *request.mutable_sku_ids() = asked_.sku_ids();
      return post("/cart.CartRpc/GetCartItems", request);
    }
    case Call::prices: {
      product::GetSkuPricesRequest request;
      *request.mutable_sku_ids() = asked_.sku_ids();
      return post("/product.ProductRpc/GetSkuPrices", request);
    }
    case Call::discount:
      return post_discount();
    case Call::deduct: {
      inventory::DeductStockRequest request;
      request.set_sku_id(cart_.items(sku_).sku_id());
      request.set_quantity(cart_.items(sku_).quantity());
      return post("/inventory.InventoryRpc/DeductStock", request);
    }
    case Call::write_order:
      return post_order();
    case Call::use_coupon: {
      promotion::UseCouponRequest request;
      request.set_user_id(asked_.user_id());
      request.set_coupon_id(asked_.coupon_id());
      request.set_used_order_id(order_id(chain_.run_number, order_));
      return post("/promotion.PromotionRpc/UseCoupon", request);
    }
    case Call::open_order: {
      order::ChangeOrderStatusRequest request;
      request.set_order_id(order_id(chain_.run_number, order_));
      request.set_expected(5);
      return post("/order.OrderRpc/ChangeOrderStatus", request);
    }
    case Call::clear_cart:
      return post_clear();
    case Call::first_branch:
      return post("/branch/out", std::string(R"({"amount":30})"));
    case Call::second_branch:
      return post("/branch/in", std::string(R"({"amount":30})"));
  }
}

void DirectOrder::post_discount() {
  promotion::CalculateDiscountRequest request;
  request.set_coupon_id(asked_.coupon_id());
  request.set_total_cents(total_cents_);
  request.set_total_amount(static_cast<double>(total_cents_) / 100);
  request.set_user_id(asked_.user_id());
  post("/promotion.PromotionRpc/CalculateDiscount", request);
}

void DirectOrder::post_order() {
  order::CreateOrderRequest request;
  request.set_order_id(order_id(chain_.run_number, order_));
  request.set_user_id(asked_.user_id());
  for (const cart::CartItem& line : cart_.items()) {
    order::OrderItem& item = *request.add_items();
    item.set_product_id(line.product_id());
    item.set_product_name(line.product_name());
    item.set_sku_id(line.sku_id());
    item.set_sku_specs(line.sku_specs());
    item.set_price_cents(line.price_cents());
    item.set_quantity(line.quantity());
  }
  request.set_total_cents(total_cents_);
  request.set_discount_cents(discount_cents_);
  request.set_pay_cents(total_cents_ - discount_cents_);
  request.set_coupon_id(asked_.coupon_id());
  request.set_address(asked_.address());
  post("/order.OrderRpc/CreateOrder", request);
}

void DirectOrder::post_clear() {
  cart::ClearCartItemsRequest request;
  request.set_user_id(asked_.user_id());
  for (const cart::CartItem& line : cart_.items()) {
    request.add_sku_ids(line.sku_id());
    cart::OrderedLine& ordered = *request.add_lines();
    ordered.set_sku_id(line.sku_id());
    ordered.set_quantity(line.quantity());
  }
  post("/cart.CartRpc/ClearCartItems", request);
}

void DirectOrder::read_cart(const HttpResponse& response) {
  cart_.ParseFromString(response.body);
  for (const cart::CartItem& item : cart_.items()) {
    total_cents_ += item.price_cents() * item.quantity();
  }
}

void DirectOrder::answered(const HttpResponse& response) {
  const bool ok = response.status == 200;
  if (undoing_) return ok ? give_back() : end(Ending::failed);
  const Call call = chain_.calls[step_];
  if (call == Call::deduct) return deducted(ok);
  if (!ok) return end(Ending::failed);
  if (call == Call::cart) {
    read_cart(response);
    if (cart_.items_size() != order_.skus) return end(Ending::failed);
  } else if (call == Call::discount) {
    promotion::CalculateDiscountResponse discount;
    discount.ParseFromString(response.body);
    discount_cents_ = discount.discount_cents();
  } else if (call == Call::write_order) {
    written_ = true;
  }
  ++step_;
  go_on();
}

void DirectOrder::deducted(bool ok) {
  if (!ok) {
    undoing_ = true;
    return give_back();
  }
  taken_.push_back(sku_);
  if (++sku_ == cart_.items_size()) ++step_;
  go_on();
}

void DirectOrder::give_back() {
  if (!taken_.empty()) {
    inventory::RollbackStockRequest request;
    request.set_sku_id(cart_.items(taken_.back()).sku_id());
    request.set_quantity(cart_.items(taken_.back()).quantity());
    taken_.pop_back();
    return post("/inventory.InventoryRpc/RollbackStock", request);
  }
  if (std::exchange(written_, false)) {
    order::VoidOrderRequest request;
    request.set_order_id(order_id(chain_.run_number, order_));
    return post("/order.OrderRpc/VoidOrder", request);
  }
  end(Ending::undone);
}

void DirectOrder::end(Ending ending) {
  OrderTaker::Done done = std::move(done_);
  delete this;
  done(ending);
}

}  // namespace

std::unique_ptr<OrderTaker> direct_chain(boost::asio::io_context& io, HttpEndpoint mall,
                                         Chain chain, std::uint64_t run) {
  return std::make_unique<DirectChain>(io, std::move(mall), chain, run);
}

}  // namespace skald::bench
